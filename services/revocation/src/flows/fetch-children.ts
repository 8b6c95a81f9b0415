import { equalBytes } from '@concordat/common/domain/bytes.js';
import { childProblem } from '@concordat/common/domain/certificate/children.js';
import { verifyCertificate } from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { WantedCertificate } from '../io/child-rows.js';
import type { RevocationContext } from './context.js';

/** Of one holder in one round; a certificate may have megabytes. */
const FETCHED_MAX = 64;

/**
 * Fetches the certificates that holders' receipts name, for what they derived from events that we took back. What cannot be
 * had, or does not hold, stays wanted: its parent's order is not closed without it.
 *
 * @param onKept told when an order may be closed now
 */
export async function fetchChildren(
  context: RevocationContext,
  onKept: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { store, derived, logger } = context;
  for (const wanted of store.children.wanted(FETCHED_MAX)) {
    if (signal.aborted) return;
    const { holder, orderId } = wanted;
    try {
      const dsseJson = await derived.askForCertificate(holder, orderId, signal);
      const bytes = readChild(context, wanted, dsseJson);
      store.db.transaction(() => store.children.keep(wanted, bytes));
      onKept();
    } catch (cause) {
      const error = asConcordatError(cause);
      logger.warn('the certificate of a derived event is missing', {
        peer: holder,
        orderId,
        error,
      });
    }
  }
}

/** @returns the signed certificate, which holds, is complete and is about what the receipts say */
function readChild(
  context: RevocationContext,
  wanted: WantedCertificate,
  dsseJson: string,
): Uint8Array {
  const { codec, keys, store, statements, self } = context;
  const { holder, hash, parentOrder, orderId } = wanted;
  const certificate = verifyDsse(codec, keys, 'Certificate', dsseJson);
  if (!certificate.ok) throw certificate.error;
  const { signer, value, bytes } = certificate.value;
  if (signer !== holder || !equalBytes(certificate.value.hash, hash)) {
    throw invalid(`expected the certificate that a receipt of ${holder} names, came another`);
  }
  const purge = verifyCertificate(codec, keys, value);
  if (!purge.ok) throw purge.error;
  if (purge.value.missing.length > 0) throw invalid('expected a complete certificate');
  const entries = store.entries.of(parentOrder).flatMap((entry) => {
    const read = statements('PurgeEntry', entry.bytes, { signer: self });
    return read.ok && entry.recipient === holder ? [read.value] : [];
  });
  for (const id of store.children.childrenOf(wanted)) {
    const problem = childProblem(self, { id, orderId }, purge.value.order.value, entries);
    if (problem) throw invalid(problem[1]);
  }
  return bytes;
}

function invalid(text: string): ConcordatError {
  return new ConcordatError('CERTIFICATE_INVALID', text);
}
