import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import {
  ConcordatError,
  type ConcordatErrorCode,
  asConcordatError,
  isErrorCode,
} from '../../domain/errors.js';
import { DETAILS_TRAILER, decodeDetails, encodeDetails } from './error-details.js';
import { line } from './line.js';

/** The trailer that carries the code; the gRPC status is only a hint for tools that do not know it. */
const CODE_TRAILER = 'concordat-code';

/** Codes whose gRPC status says more than "not now" (retryable) or "not so" (the others). */
const STATUS: Partial<Record<ConcordatErrorCode, status>> = {
  CALLER_UNKNOWN: status.UNAUTHENTICATED,
  CALLER_NOT_ALLOWED: status.PERMISSION_DENIED,
  READ_REFUSED: status.PERMISSION_DENIED,
  RELEASE_WITHHELD: status.PERMISSION_DENIED,
  ONWARD_NOT_ALLOWED: status.PERMISSION_DENIED,
  ONWARD_NOT_HELD: status.NOT_FOUND,
  ORDER_NOT_AUTHORISED: status.PERMISSION_DENIED,
  REQUEST_INVALID: status.INVALID_ARGUMENT,
  EVENT_INVALID: status.INVALID_ARGUMENT,
  ORDER_INVALID: status.INVALID_ARGUMENT,
  SIGNATURE_INVALID: status.INVALID_ARGUMENT,
  SCHEMA_INVALID: status.INVALID_ARGUMENT,
  MESSAGE_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  ENVELOPE_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  CALL_CANCELLED: status.CANCELLED,
  EVENT_UNKNOWN: status.NOT_FOUND,
  ORDER_UNKNOWN: status.NOT_FOUND,
  RELEASE_UNKNOWN: status.NOT_FOUND,
  SERVICE_UNKNOWN: status.NOT_FOUND,
  INTERNAL: status.INTERNAL,
};

function statusOf({ code, retryable }: ConcordatError): status {
  return STATUS[code] ?? (retryable ? status.UNAVAILABLE : status.FAILED_PRECONDITION);
}

/** What a caller may learn of a failure: of an unexpected one only that it happened. */
export function toStatus(
  cause: unknown,
): StatusObject & { readonly name: string; message: string } {
  const error = asConcordatError(cause);
  const details =
    error.code === 'INTERNAL'
      ? 'expected an answer, the service failed: its log has the cause; try again or tell its operator'
      : line(error.message);
  const code = statusOf(error);
  const metadata = new Metadata();
  metadata.set(CODE_TRAILER, error.code);
  metadata.set(DETAILS_TRAILER, encodeDetails(error, { code, message: details }));
  return { name: error.name, code, details, message: details, metadata };
}

/** Statuses that grpc-js makes itself, without our trailer. Any other one means that the connection broke. */
const OWN_STATUS: Partial<Record<status, ConcordatErrorCode>> = {
  [status.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
  [status.RESOURCE_EXHAUSTED]: 'MESSAGE_TOO_LARGE',
  [status.UNIMPLEMENTED]: 'REQUEST_INVALID',
};

const ADVICE: Partial<Record<ConcordatErrorCode, string>> = {
  DEADLINE_EXCEEDED: 'expected an answer before the deadline; try again, or allow more time',
  MESSAGE_TOO_LARGE: 'expected a message within the limit; ask for less at a time',
  REQUEST_INVALID: 'expected a service that knows this call; check the address',
  PEER_UNAVAILABLE: 'expected an answer, the connection failed; it is tried again by itself',
};

/** @param where the call and the peer, for the message */
export function fromStatus(
  { code, details, metadata }: ServiceError,
  where: string,
): ConcordatError {
  const [trailer] = metadata.get(CODE_TRAILER);
  if (typeof trailer === 'string' && isErrorCode(trailer)) {
    const [given] = metadata.get(DETAILS_TRAILER);
    return new ConcordatError(trailer, `${where}: ${line(details)}`, {
      details: typeof given === 'object' ? decodeDetails(given) : {},
    });
  }
  const own = OWN_STATUS[code] ?? 'PEER_UNAVAILABLE';
  return new ConcordatError(own, `${where}: ${ADVICE[own] ?? ''} (${line(details)})`);
}
