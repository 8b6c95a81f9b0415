import {
  verifyCertificate,
  type CertifiedPurge,
} from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { KeysGiven } from './keys-given.js';
import { type Scene, violate } from './scene.js';
import { keyOf } from './sight/holdings.js';
import { takes } from './sight/papers.js';
import type { Witness } from './witness.js';

/** Every certificate that an origin's revocation service makes of its closed orders, as DSSE JSON. */
export type Export = (origin: MemberId) => AsyncIterable<{
  readonly orderId: string;
  readonly dsseJson: string;
}>;

/**
 * S2, S4, L3 from outside: at the end the certificates of all orders are verified by what is shipped for people without our
 * network; each is complete, and names everybody who was ever given a key of what it takes.
 */
export class Certificates implements Witness {
  readonly name = 'certificates hold';
  readonly #scene: Scene;
  readonly #keys: KeysGiven;
  readonly #members: readonly MemberId[];
  readonly #export: Export;

  constructor(
    scene: Scene,
    keys: KeysGiven,
    from: { readonly members: readonly MemberId[]; readonly all: Export },
  ) {
    this.#scene = scene;
    this.#keys = keys;
    this.#members = from.members;
    this.#export = from.all;
  }

  async healed(): Promise<void> {
    for (const origin of this.#members) {
      for await (const { orderId, dsseJson } of this.#export(origin)) {
        this.#verify(origin, orderId, dsseJson);
      }
    }
  }

  #verify(origin: MemberId, orderId: string, text: string): void {
    const { codec, keys } = this.#scene;
    const signed = verifyDsse(codec, keys, 'Certificate', text);
    const proven = signed.ok ? verifyCertificate(codec, keys, signed.value.value) : signed;
    if (!proven.ok) {
      violate(this.#scene, 'S4', origin, `the certificate of ${orderId}: ${proven.error.message}`);
      return;
    }
    const [missing] = proven.value.missing;
    if (missing) {
      const what = `entry ${String(missing.entry)} of ${missing.recipient}, ${missing.why}`;
      violate(this.#scene, 'L3', origin, `the certificate of ${orderId} lacks ${what}`);
    }
    this.#demandNamed(proven.value);
  }

  #demandNamed({ origin, seal, holders }: CertifiedPurge): void {
    const named = new Map(holders.map(({ recipient, ids }) => [recipient, new Set<EventId>(ids)]));
    for (const id of seal.value.ids) {
      for (const given of this.#keys.all.get(keyOf(origin, id)) ?? []) {
        if (!takes(seal.value, given) || named.get(given.recipient)?.has(id) === true) continue;
        const what = `${given.recipient}, which was given ${keyOf(origin, id)}`;
        violate(this.#scene, 'S4', origin, `a certificate leaves out ${what}`);
      }
    }
  }
}
