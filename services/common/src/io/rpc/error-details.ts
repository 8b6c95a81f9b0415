import { type MessageType, google } from '#generated/concordat.js';
import {
  type ConcordatError,
  type ConcordatErrorCode,
  type ErrorDetails,
  type FieldProblem,
  partsOfMessage,
} from '../../domain/errors.js';
import { line } from './line.js';
import { decode, encode } from './wire.js';

const { BadRequest, ErrorInfo, Help, RetryInfo, Status } = google.rpc;

/** Where gRPC libraries look for a `google.rpc.Status`. */
export const DETAILS_TRAILER = 'grpc-status-details-bin';
const DOMAIN = 'concordat';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';

/** Trailers are headers, and some proxies allow 8 KiB of these: in base64 this is below. */
const DETAILS_BYTES_MAX = 4_096;
const FIELDS_MAX = 20;
const TEXT_CHARACTERS_MAX = 120;
/** What a peer may send us. */
const FOREIGN_BYTES_MAX = 16_384;

/** When a call is worth another try, unless the error itself says so. Whoever sets deadlines knows better. */
const RETRY_AFTER_MS = 1_000;
const WAITS_OF_THEIR_OWN = new Set<ConcordatErrorCode>(['DEADLINE_EXCEEDED', 'CALL_CANCELLED']);

/**
 * A refusal for programs: `ErrorInfo` with our code, `Help`, and `RetryInfo` and `BadRequest` where they fit.
 *
 * @param said what the caller is told in words; of an unexpected failure nothing else leaves the process
 * @returns a `google.rpc.Status`
 */
export function encodeDetails(
  error: ConcordatError,
  said: { readonly code: number; readonly message: string },
): Buffer {
  const fields = (error.details.fields ?? []).slice(0, FIELDS_MAX).map(({ field, problem }) => ({
    field: line(field, TEXT_CHARACTERS_MAX),
    description: line(problem, TEXT_CHARACTERS_MAX),
  }));
  for (;;) {
    const bytes = encode(
      Status,
      { ...said, details: detailsOf(error, said.message, fields) },
      Infinity,
    );
    if (bytes.length <= DETAILS_BYTES_MAX || fields.length === 0) return bytes;
    fields.pop();
  }
}

function detailsOf(
  { code, retryable, details }: ConcordatError,
  message: string,
  fields: readonly google.rpc.BadRequest.FieldViolation[],
): google.protobuf.Any[] {
  const parts = partsOfMessage(message);
  const metadata = {
    retryable: String(retryable),
    ...(parts && {
      expected: line(parts.expected, TEXT_CHARACTERS_MAX),
      got: line(parts.got, TEXT_CHARACTERS_MAX),
    }),
  };
  const url = `docs/errors.md#${code.toLowerCase()}`;
  const help = { links: [{ description: 'what it means and what to do', url }] };
  const waitMs = details.retryAfterMs ?? RETRY_AFTER_MS;
  const waits = retryable && !WAITS_OF_THEIR_OWN.has(code);
  return [
    pack('ErrorInfo', ErrorInfo, { reason: code, domain: DOMAIN, metadata }),
    ...(fields.length > 0 ? [pack('BadRequest', BadRequest, { fieldViolations: fields })] : []),
    ...(waits ? [pack('RetryInfo', RetryInfo, { retryDelay: durationOf(waitMs) })] : []),
    pack('Help', Help, help),
  ];
}

function pack<T>(name: string, type: MessageType<T>, message: T): google.protobuf.Any {
  return { type_url: TYPE_PREFIX + name, value: encode(type, message, Infinity) };
}

function durationOf(ms: number): google.protobuf.Duration {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

/** What a peer said beside code and message; nothing when it cannot be read: the code stands by itself. */
export function decodeDetails(bytes: Uint8Array): ErrorDetails {
  try {
    const { details } = decode(Status, bytes, FOREIGN_BYTES_MAX);
    const find = <T>(name: string, type: MessageType<T>): T | undefined => {
      const found = details.find(({ type_url }) => type_url === TYPE_PREFIX + name);
      return found && decode(type, found.value, FOREIGN_BYTES_MAX);
    };
    const violations = find('BadRequest', BadRequest)?.fieldViolations ?? [];
    const delay = find('RetryInfo', RetryInfo)?.retryDelay;
    return {
      ...(violations.length > 0 && { fields: violations.slice(0, FIELDS_MAX).map(problemOf) }),
      ...(delay && { retryAfterMs: delay.seconds * 1_000 + Math.ceil(delay.nanos / 1_000_000) }),
    };
  } catch {
    return {};
  }
}

function problemOf({ field, description }: google.rpc.BadRequest.FieldViolation): FieldProblem {
  return {
    field: line(field, TEXT_CHARACTERS_MAX),
    problem: line(description, TEXT_CHARACTERS_MAX),
  };
}
