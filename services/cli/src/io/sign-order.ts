import { join } from 'node:path';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { EventId, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { Cover } from '@concordat/common/domain/purge-order.js';
import {
  SUITE,
  type Signer,
  type Verified,
  signStatement,
  verifyStatement,
} from '@concordat/common/domain/statement.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { readSigningKey } from '@concordat/common/io/federation-file.js';
import { type OfficerReason, officerOrder } from '../domain/purge-order.js';
import { SCHEMAS_DIR, homeFiles, readFederationOf } from './home.js';
import { newOrderId } from './new-id.js';

/** A home, a member in it, and with which key of a purge officer: a name as `purge-officer-2`, or the path of a file. */
export interface Signing {
  readonly home: string;
  readonly member: MemberId;
  readonly as?: string | undefined;
}

const FIRST_OFFICER = 'purge-officer';

/** @throws ConcordatError CONFIG_INVALID without one, or for a key that is no purge officer's of this member */
async function readOfficer({ home, member, as = FIRST_OFFICER }: Signing): Promise<{
  readonly signer: Signer;
  readonly keys: KeyRing;
}> {
  const isPath = as.includes('/') || as.endsWith('.pem');
  const { signingKeysDir } = homeFiles(home).member(member);
  const file = isPath ? as : join(signingKeysDir, `${as}.ed25519.pem`);
  const signer = await readSigningKey(file);
  const keys = new KeyRing(await readFederationOf(home));
  const key = keys.find(signer.keyId);
  if (key?.member === member && key.role === 'purge-officer') return { signer, keys };
  const came = key ? `one of role ${key.role} of ${key.member}` : 'one that it does not list';
  const text = `${file}: expected a key of a purge officer of ${member} in federation.json, came ${came}`;
  throw new ConcordatError('CONFIG_INVALID', text);
}

/** A new order, signed with the key of a purge officer of the member. @throws ConcordatError CONFIG_INVALID without one */
export async function signOrder(
  ports: { readonly clock: Clock; readonly random: Random },
  about: Signing & {
    readonly ids: readonly EventId[];
    readonly reason: OfficerReason;
    readonly deadlineMs: number;
  },
): Promise<Uint8Array> {
  const { ids, ...rest } = about;
  const [order] = await signOrders(ports, {
    ...rest,
    orders: [{ orderId: newOrderId(ports), ids }],
  });
  if (!order) throw new TypeError('expected the one order');
  return order;
}

/** The orders of one purge, in their order. */
export async function signOrders(
  ports: { readonly clock: Clock },
  about: Signing & {
    readonly orders: readonly { readonly orderId: OrderId; readonly ids: readonly EventId[] }[];
    readonly reason: OfficerReason;
    readonly deadlineMs: number;
    readonly cover?: Cover;
  },
): Promise<Uint8Array[]> {
  const { member, orders, reason, deadlineMs, cover } = about;
  const { signer, keys } = await readOfficer(about);
  const codec = openRecordCodec(SCHEMAS_DIR);
  const nowMs = ports.clock.nowMs();
  return orders.map((one) => {
    const order = officerOrder({
      ...{ federation: keys.federation, origin: member, keyId: signer.keyId },
      ...{ nowMs, reason, deadlineMs, ...one, ...(cover && { cover }) },
    });
    return signStatement(codec, signer, 'PurgeOrder', order).bytes;
  });
}

/** An order that the revocation service shows. @throws ConcordatError for one that no officer of the member signed */
export async function readSignedOrder(
  { home, member }: Pick<Signing, 'home' | 'member'>,
  bytes: Uint8Array,
): Promise<Verified<'PurgeOrder'>> {
  const keys = new KeyRing(await readFederationOf(home));
  const codec = openRecordCodec(SCHEMAS_DIR);
  const order = verifyStatement(codec, keys, 'PurgeOrder', bytes, { signer: member });
  if (!order.ok) throw order.error;
  return order.value;
}

/** Approvals of these orders by one person, in their order. @throws ConcordatError CONFIG_INVALID without the key */
export async function signApprovals(
  ports: { readonly clock: Clock },
  about: Signing & { readonly orders: readonly Verified<'PurgeOrder'>[] },
): Promise<Uint8Array[]> {
  const { signer, keys } = await readOfficer(about);
  const codec = openRecordCodec(SCHEMAS_DIR);
  return about.orders.map(({ value, hash }) => {
    const approval = {
      ...{ suite: SUITE, federation: keys.federation, origin: about.member, keyId: signer.keyId },
      ...{ orderId: value.orderId, orderHash: hash, timeMs: ports.clock.nowMs() },
    };
    return signStatement(codec, signer, 'PurgeApproval', approval).bytes;
  });
}
