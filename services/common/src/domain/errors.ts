/**
 * Every refusal has one stable code. `true`: the very same call could succeed later.
 * `docs/errors.md` explains each; a test keeps the two equal.
 */
const RETRYABLE = {
  // configuration and wiring
  CONFIG_INVALID: false,
  DATA_DIR_LOCKED: true,
  FEDERATION_INVALID: false,
  TRUST_INVALID: false,
  // calls
  CALLER_UNKNOWN: false,
  CALLER_NOT_ALLOWED: false,
  REQUEST_INVALID: false,
  MESSAGE_TOO_LARGE: false,
  SERVICE_UNKNOWN: false,
  CALL_CANCELLED: true,
  PEER_IDENTITY_WRONG: true,
  DEADLINE_EXCEEDED: true,
  PEER_UNAVAILABLE: true,
  INTERNAL: true,
  // encodings
  RECORD_MALFORMED: false,
  RECORD_TOO_LARGE: false,
  SCHEMA_UNKNOWN: true,
  SCHEMA_INVALID: false,
  // keys and signatures
  KEY_UNKNOWN: true,
  KEY_WEAK: false,
  KEY_ROLE_WRONG: false,
  SIGNATURE_INVALID: false,
  // events and blocks
  EVENT_INVALID: false,
  ENVELOPE_MALFORMED: false,
  ENVELOPE_TOO_LARGE: false,
  BLOCK_ROOT_MISMATCH: false,
  SENDER_NOT_TOPIC_OWNER: false,
  NOT_ADDRESSED_HERE: false,
  COMMITMENT_MISMATCH: false,
  EVENT_UNKNOWN: false,
  // chains
  CHAIN_GAP: true,
  CHAIN_BROKEN: false,
  EQUIVOCATION: false,
  // reading
  CURSOR_INVALID: false,
  SYSTEM_UNKNOWN: false,
  PURGED: false,
  HOLD_UNKNOWN: false,
  NOT_READABLE_YET: true,
  LEASE_UNAVAILABLE: true,
  KEY_LOST: false,
  BEHIND: true,
  NOT_FRESH: true,
  READ_REFUSED: false,
  // release and keys
  RELEASE_UNKNOWN: false,
  RELEASE_WITHHELD: false,
  MEMBER_LEAVES: false,
  ONWARD_NOT_HELD: false,
  ONWARD_NOT_ALLOWED: false,
  DERIVATION_REFUSED: false,
  // purge
  ORDER_INVALID: false,
  ORDER_UNKNOWN: false,
  ORDER_NOT_AUTHORISED: false,
  ORDER_NEEDS_APPROVAL: false,
  APPROVAL_INVALID: false,
  APPROVAL_SAME_PERSON: false,
  SEAL_INVALID: false,
  RECEIPT_INVALID: false,
  CERTIFICATE_INVALID: false,
  CERTIFICATE_NOT_READY: true,
  NOTICE_INVALID: false,
  NOTICE_UNKNOWN: false,
  // broker
  BROKER_UNAVAILABLE: true,
  BROKER_SETTINGS_UNSAFE: false,
  TOPIC_MISSING: false,
  TOPIC_DIFFERS: false,
  LOG_RESTARTED: false,
  STATE_LOST: false,
  BACKUP_INVALID: false,
  COMPRESSION_REFUSED: false,
  RECORD_FAILED: true,
  RECORD_STUCK: true,
  LOG_STALLED: true,
} as const satisfies Record<string, boolean>;

export type ConcordatErrorCode = keyof typeof RETRYABLE;

export const ERROR_CODES = Object.keys(RETRYABLE) as readonly ConcordatErrorCode[];

export function isErrorCode(text: string): text is ConcordatErrorCode {
  return Object.hasOwn(RETRYABLE, text);
}

/** A field that is not as it should be: names, kinds, limits and counts, never what was given. */
export interface FieldProblem {
  /** as the caller names it: `audience.members[0]`; `$.firstName` inside the JSON of an event */
  readonly field: string;
  /** `expected a UUIDv7` */
  readonly problem: string;
}

/** What programs may want of an error beside its code. */
export interface ErrorDetails {
  readonly fields?: readonly FieldProblem[];
  /** when the very same call may be worth another try */
  readonly retryAfterMs?: number;
}

/** Whatever fails has this shape. The message says what was expected, what came and where; never content. */
export class ConcordatError extends Error {
  override readonly name = 'ConcordatError';
  readonly code: ConcordatErrorCode;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(
    code: ConcordatErrorCode,
    message: string,
    { details = {}, ...options }: ErrorOptions & { readonly details?: ErrorDetails } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryable = RETRYABLE[code];
    this.details = details;
  }
}

/** One error for all fields that are wrong: at least one. */
export function fieldsError(
  code: ConcordatErrorCode,
  fields: readonly [FieldProblem, ...FieldProblem[]],
): ConcordatError {
  const texts = fields.map(({ field, problem }) => `${field}: ${problem}`);
  const message =
    fields.length === 1 ? texts.join() : `${String(fields.length)} fields: ${texts.join('; ')}`;
  return new ConcordatError(code, message, { details: { fields } });
}

export function fieldError(
  code: ConcordatErrorCode,
  field: string,
  problem: string,
): ConcordatError {
  return fieldsError(code, [{ field, problem }]);
}

/** Our messages say where, what was expected and what came; on one line this is where each begins. */
const PARTS = /^(?:(.+): )?expected (.+), (?:came|got) (.+)$/;

/** The parts of a message, if it tells what was expected and what came. */
export function partsOfMessage(
  message: string,
):
  | { readonly where: string | undefined; readonly expected: string; readonly got: string }
  | undefined {
  const [, where, expected, got] = PARTS.exec(message) ?? [];
  return expected === undefined || got === undefined ? undefined : { where, expected, got };
}

/** The error itself when it is ours, else `INTERNAL` wrapping it: callers branch on `code` only. */
export function asConcordatError(cause: unknown): ConcordatError {
  if (cause instanceof ConcordatError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ConcordatError('INTERNAL', message, { cause });
}
