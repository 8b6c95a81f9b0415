import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import { signStatement } from '@concordat/common/domain/statement.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { readSigningKey } from '@concordat/common/io/federation-file.js';
import { type OfficerReason, officerOrder } from '../domain/purge-order.js';
import { SCHEMAS_DIR, homeFiles, readFederationOf } from './home.js';
import { newOrderId } from './new-id.js';

/** A new order, signed with the key of the member's purge officer. @throws ConcordatError CONFIG_INVALID without one */
export async function signOrder(
  ports: { readonly clock: Clock; readonly random: Random },
  about: {
    readonly home: string;
    readonly member: MemberId;
    readonly ids: readonly EventId[];
    readonly reason: OfficerReason;
    readonly deadlineMs: number;
  },
): Promise<Uint8Array> {
  const { home, member, ...cover } = about;
  const { federation } = await readFederationOf(home);
  const signer = await readSigningKey(
    homeFiles(home).member(member).signingKeyFile('purge-officer'),
  );
  const order = officerOrder({
    federation,
    origin: member,
    keyId: signer.keyId,
    orderId: newOrderId(ports),
    nowMs: ports.clock.nowMs(),
    ...cover,
  });
  return signStatement(openRecordCodec(SCHEMAS_DIR), signer, 'PurgeOrder', order).bytes;
}
