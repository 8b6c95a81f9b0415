import type { ConcordatErrorCode } from '@concordat/common/domain/errors.js';

/** What the shell learns. Stable: scripts branch on it. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** wrong usage or configuration: people have to change something */
  usage: 2,
  /** refused by policy */
  refused: 3,
  notFound: 4,
  verificationFailed: 5,
  waitedTooLong: 6,
  /** some recipients are still open */
  partlyDone: 7,
  /** a proof holds, and something of what it is about is not shown */
  incomplete: 8,
  /** the very same call could succeed later */
  tryAgain: 75,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const OF_CODE: Record<ConcordatErrorCode, ExitCode> = {
  CONFIG_INVALID: EXIT.usage,
  DATA_DIR_LOCKED: EXIT.tryAgain,
  FEDERATION_INVALID: EXIT.usage,
  TRUST_INVALID: EXIT.usage,
  CALLER_UNKNOWN: EXIT.refused,
  CALLER_NOT_ALLOWED: EXIT.refused,
  REQUEST_INVALID: EXIT.usage,
  MESSAGE_TOO_LARGE: EXIT.usage,
  CALL_CANCELLED: EXIT.tryAgain,
  PEER_IDENTITY_WRONG: EXIT.verificationFailed,
  DEADLINE_EXCEEDED: EXIT.waitedTooLong,
  PEER_UNAVAILABLE: EXIT.tryAgain,
  INTERNAL: EXIT.failed,
  RECORD_MALFORMED: EXIT.verificationFailed,
  RECORD_TOO_LARGE: EXIT.usage,
  SCHEMA_UNKNOWN: EXIT.usage,
  SCHEMA_INVALID: EXIT.usage,
  KEY_UNKNOWN: EXIT.verificationFailed,
  KEY_WEAK: EXIT.verificationFailed,
  KEY_ROLE_WRONG: EXIT.verificationFailed,
  SIGNATURE_INVALID: EXIT.verificationFailed,
  EVENT_INVALID: EXIT.usage,
  ENVELOPE_MALFORMED: EXIT.verificationFailed,
  ENVELOPE_TOO_LARGE: EXIT.usage,
  BLOCK_ROOT_MISMATCH: EXIT.verificationFailed,
  SENDER_NOT_TOPIC_OWNER: EXIT.verificationFailed,
  NOT_ADDRESSED_HERE: EXIT.verificationFailed,
  COMMITMENT_MISMATCH: EXIT.verificationFailed,
  EVENT_UNKNOWN: EXIT.notFound,
  SERVICE_UNKNOWN: EXIT.notFound,
  CHAIN_GAP: EXIT.tryAgain,
  CHAIN_BROKEN: EXIT.verificationFailed,
  EQUIVOCATION: EXIT.verificationFailed,
  CURSOR_INVALID: EXIT.usage,
  SYSTEM_UNKNOWN: EXIT.notFound,
  HOLD_UNKNOWN: EXIT.notFound,
  PURGED: EXIT.notFound,
  KEY_LOST: EXIT.notFound,
  NOT_READABLE_YET: EXIT.tryAgain,
  BEHIND: EXIT.tryAgain,
  NOT_FRESH: EXIT.tryAgain,
  READ_REFUSED: EXIT.refused,
  RELEASE_UNKNOWN: EXIT.notFound,
  RELEASE_WITHHELD: EXIT.refused,
  ORDER_INVALID: EXIT.usage,
  ORDER_UNKNOWN: EXIT.notFound,
  ORDER_NOT_AUTHORISED: EXIT.refused,
  ORDER_NEEDS_APPROVAL: EXIT.refused,
  APPROVAL_INVALID: EXIT.usage,
  APPROVAL_SAME_PERSON: EXIT.refused,
  SEAL_INVALID: EXIT.verificationFailed,
  RECEIPT_INVALID: EXIT.verificationFailed,
  CERTIFICATE_INVALID: EXIT.verificationFailed,
  CERTIFICATE_NOT_READY: EXIT.tryAgain,
  NOTICE_INVALID: EXIT.verificationFailed,
  NOTICE_UNKNOWN: EXIT.notFound,
  BROKER_UNAVAILABLE: EXIT.tryAgain,
  BROKER_SETTINGS_UNSAFE: EXIT.usage,
  TOPIC_MISSING: EXIT.usage,
  TOPIC_DIFFERS: EXIT.usage,
  STATE_LOST: EXIT.failed,
  LOG_RESTARTED: EXIT.failed,
  COMPRESSION_REFUSED: EXIT.failed,
  RECORD_FAILED: EXIT.failed,
  RECORD_STUCK: EXIT.tryAgain,
  LOG_STALLED: EXIT.tryAgain,
};

export function exitCodeOf(code: ConcordatErrorCode): ExitCode {
  return OF_CODE[code];
}
