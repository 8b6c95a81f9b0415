import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { purgeTopic } from '@concordat/common/domain/topics.js';
import type { FreshnessService } from '@concordat/common/io/rpc/definitions.js';
import type { Handlers } from '@concordat/common/io/rpc/server.js';
import type { RevocationContext } from './context.js';

const NONCE_BYTES_MIN = 16;
const NONCE_BYTES_MAX = 64;

/**
 * Tells another member's node, about itself only, how far its purge ledger goes. The head counts committed entries that
 * the broker has not acknowledged yet: a node that lacks them is behind.
 */
export function freshnessCalls(context: RevocationContext): Handlers<typeof FreshnessService> {
  const { codec, signer, keys, self, store, clock } = context;
  return {
    freshness: async ({ nonce }, { caller }) => {
      const recipient = caller.member;
      if (!context.others.includes(recipient) || caller.service !== 'node') {
        const text = 'expected the node of another member of this federation';
        throw new ConcordatError('CALLER_NOT_ALLOWED', text);
      }
      if (nonce.length < NONCE_BYTES_MIN || nonce.length > NONCE_BYTES_MAX) {
        const problem = `expected ${NONCE_BYTES_MIN} to ${NONCE_BYTES_MAX} bytes, came ${nonce.length}`;
        throw fieldError('REQUEST_INVALID', 'nonce', problem);
      }
      const { epoch, number, hash } = store.chains.ownHead(purgeTopic({ origin: self, recipient }));
      const { bytes } = signStatement(codec, signer, 'FreshnessAnswer', {
        suite: SUITE,
        federation: keys.federation,
        origin: self,
        keyId: signer.keyId,
        recipient,
        nonce: Uint8Array.from(nonce),
        timeMs: clock.nowMs(),
        epoch,
        head: number,
        headHash: hash,
      });
      return { answer: bytes };
    },
  };
}
