import { fieldError } from '@concordat/common/domain/errors.js';
import { type Hash, parseOrderId } from '@concordat/common/domain/ids.js';
import { DerivationService } from '@concordat/common/io/rpc/definitions.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import { closeDuty } from '../flows/close-duty.js';
import type { NodeContext } from '../flows/context.js';
import { grantDerivations } from '../flows/grant-derivations.js';
import { demandFew, eventIdField } from './request-fields.js';

const PARENTS_MAX = 64;
/** The rest is told of when these are closed. */
const DUTIES_MAX = 256;
const HASH_BYTES = 32;

export function derivationService(context: NodeContext): Served {
  return serve(DerivationService, {
    async grantDerivation({ child, parents }, { caller }) {
      demandFew('parents', parents, PARENTS_MAX);
      const asked = {
        child: eventIdField('child', child),
        parents: parents.map((id, at) => eventIdField(`parents[${String(at)}]`, id)),
      };
      return { grants: [...(await grantDerivations(context, caller.member, asked))] };
    },
    async listDuties() {
      return {
        duties: context.state.children.open(DUTIES_MAX).map(({ parents, origins, ...duty }) => ({
          ...duty,
          parents: [...parents],
          origins: [...origins],
        })),
      };
    },
    async closeDuty({ child, orderId, certificateHash }) {
      const order = parseOrderId(orderId);
      if (!order.ok) throw fieldError('REQUEST_INVALID', 'order_id', 'expected a UUID');
      if (certificateHash.length !== HASH_BYTES) {
        throw fieldError('REQUEST_INVALID', 'certificate_hash', 'expected 32 bytes');
      }
      closeDuty(context, {
        child: eventIdField('child', child),
        orderId: order.value,
        certificateHash: Uint8Array.from(certificateHash) as Hash,
      });
      return {};
    },
  });
}
