import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CertifiedPurge,
  verifyCertificate,
} from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { MemberId, OrderId } from '@concordat/common/domain/ids.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { readSigningKey, readTrustFile } from '@concordat/common/io/federation-file.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { federationFiles, memberFiles } from '../../io/federation-init.js';
import { SCHEMAS_DIR } from '../../io/home.js';
import type { Listed } from '../book.js';
import type { MemberClients } from '../clients.js';
import { orderPurge } from '../order-purges.js';
import { insist, waitFor } from '../patience.js';
import { refusalOf } from '../read-back.js';
import { ORIGIN } from '../scenario.js';
import { ASK } from '../settle.js';
import type { Supervised } from '../supervisor.js';
import type { SceneStage } from './scene.js';

/** The recipients of these scenes; both have what is about persons of a list that both get. */
export const DE = 'de' as MemberId;
export const FR = 'fr' as MemberId;
const SHARED = /^listing\.(?:al-qaida|taliban)\.individual$/;

type Holders = Readonly<Record<string, string>>;
type Status = concordat.revocation.v1.StatusResponse;

export function clientsOf({ clients }: SceneStage, member: MemberId): MemberClients {
  const node = clients.recipients.get(member);
  if (node) return node;
  throw new ConcordatError('INTERNAL', `expected ${member} among the recipients, it is not`);
}

export function nodeOf({ services }: SceneStage, member: MemberId): Supervised {
  const node = services.find(({ name }) => name === `${member}-node`);
  if (node) return node;
  throw new ConcordatError('INTERNAL', `expected the process of ${member}'s node, it is not there`);
}

/** Events of the book that both read now. */
export async function readByBoth(stage: SceneStage, count: number): Promise<Listed[]> {
  const { clock } = stage.ports;
  const found: Listed[] = [];
  for (const listed of stage.book.live.values()) {
    if (found.length === count) return found;
    if (!SHARED.test(listed.category)) continue;
    const refusals = [DE, FR].map((member) =>
      refusalOf(clock, clientsOf(stage, member), listed.id),
    );
    if ((await Promise.all(refusals)).every((one) => one === undefined)) found.push(listed);
  }
  if (found.length === count) return found;
  const text = `expected ${String(count)} events that both read, came ${String(found.length)}`;
  throw new ConcordatError('INTERNAL', text);
}

export async function takeBack(stage: SceneStage, events: readonly Listed[]): Promise<OrderId> {
  const { ports, clients, places } = stage;
  const file = memberFiles(places.dir, ORIGIN).signingKeyFile('purge-officer');
  const officer = await readSigningKey(file);
  const codec = openRecordCodec(SCHEMAS_DIR);
  return orderPurge({ ...ports, codec, clients, officer }, ...events);
}

export function statusOf({ ports, clients }: SceneStage, orderId: OrderId): Promise<Status> {
  return insist(ports.clock, () => clients.purge.status({ orderId }, ASK));
}

/** Waits until these holders stand so. @returns how all of them stand then */
export async function untilHolders(
  stage: SceneStage,
  orderId: OrderId,
  wanted: Holders,
): Promise<Holders> {
  let states: Holders = {};
  await waitFor(stage.ports.clock, async () => {
    const { holders } = await statusOf(stage, orderId);
    states = Object.fromEntries(holders.map(({ member, state }) => [member, state]));
    const isSo = Object.entries(wanted).every(([member, state]) => states[member] === state);
    return isSo ? undefined : `answers to an order: ${JSON.stringify(states)}`;
  });
  return states;
}

export async function untilClosed(stage: SceneStage, orderId: OrderId): Promise<void> {
  await waitFor(stage.ports.clock, async () => {
    const { state, holders } = await statusOf(stage, orderId);
    if (state === 'CLOSED') return undefined;
    return `an order to close: ${holders.map((one) => `${one.member} ${one.state}`).join(', ')}`;
  });
}

/**
 * Asks for an order's certificate as it is now, keeps its file and verifies it.
 *
 * @returns `complete`, or who has not answered for good, and why
 */
export async function certificateOf(stage: SceneStage, orderId: OrderId): Promise<string> {
  return verdictOn(await proofOf(stage, orderId));
}

/** The same, and what the certificate proves: checked with trust.json alone. */
export async function proofOf(
  { ports, clients, places }: SceneStage,
  orderId: OrderId,
): Promise<CertifiedPurge> {
  const { dsseJson } = await insist(ports.clock, () =>
    clients.purge.certificate({ orderId, evenIncomplete: true }, ASK),
  );
  const codec = openRecordCodec(SCHEMAS_DIR);
  const { trustFile } = federationFiles(places.dir);
  const keys = new KeyRing(await readTrustFile(trustFile));
  const signed = verifyDsse(codec, keys, 'Certificate', dsseJson);
  const purge = signed.ok ? verifyCertificate(codec, keys, signed.value.value) : signed;
  if (!purge.ok) throw purge.error;
  const verdict = verdictOn(purge.value);
  await mkdir(places.sceneCertificatesDir, { recursive: true });
  const name = verdict === 'complete' ? `${orderId}.json` : `${orderId}-incomplete.json`;
  await writeFile(join(places.sceneCertificatesDir, name), `${dsseJson}\n`);
  return purge.value;
}

export function verdictOn({ missing }: CertifiedPurge): string {
  if (missing.length === 0) return 'complete';
  return missing.map(({ recipient, why }) => `${recipient} ${why}`).join(', ');
}
