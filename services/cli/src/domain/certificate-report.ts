import type {
  CertifiedHolding,
  CertifiedPurge,
  Missing,
} from '@concordat/common/domain/certificate/verify-certificate.js';
import { timeText } from './time-text.js';

/** What a valid certificate proves, for people and for programs. */
export interface CertificateReport {
  readonly outcome: 'complete' | 'incomplete';
  readonly origin: string;
  readonly order: string;
  readonly reason: string;
  readonly events: readonly string[];
  /** empty: everybody's copy, whole events */
  readonly recipients: readonly string[];
  readonly sections: readonly string[];
  /** who signed order and approvals, each person once; 0: keys that name nobody */
  readonly people: number;
  readonly orderedAt: string;
  readonly deadline: string;
  readonly keysDestroyedAt: string;
  readonly certifiedAt: string;
  readonly holders: readonly HolderReport[];
  /** entries that are not answered for good, of this order */
  readonly missing: readonly Missing[];
}

interface HolderReport {
  readonly member: string;
  readonly events: number;
  /** of all its answers together; SILENT while one is missing */
  readonly receipt: 'DELETED' | 'NOT_HELD' | 'OPEN' | 'SILENT';
  readonly answeredAt: string;
  /** what its events derived from these came to, where it showed that */
  readonly children: readonly CertificateReport[];
}

export function certificateReport(purge: CertifiedPurge): CertificateReport {
  const { order, seal, people, missing } = purge;
  const { orderId, reason, ids, recipients, sections, issuedAtMs, deadlineMs } = order.value;
  return {
    outcome: missing.length === 0 ? 'complete' : 'incomplete',
    origin: purge.origin,
    order: orderId,
    reason,
    events: ids,
    recipients,
    sections,
    people,
    orderedAt: timeText(issuedAtMs),
    deadline: timeText(deadlineMs),
    keysDestroyedAt: timeText(seal.value.timeMs),
    certifiedAt: timeText(purge.timeMs),
    holders: purge.holders.map(holderReport),
    missing,
  };
}

function holderReport({ recipient, ids, answers, children }: CertifiedHolding): HolderReport {
  const last = answers.map(({ open, final }) => (final ?? open)?.value);
  const times = last.flatMap((receipt) => (receipt ? [receipt.timeMs] : []));
  return {
    member: recipient,
    events: ids.length,
    receipt: together(last.map((receipt) => receipt?.stage ?? 'SILENT')),
    answeredAt: times.length === 0 ? '' : timeText(Math.max(...times)),
    children: children.map(certificateReport),
  };
}

/** The least that may be said of all answers at once. */
function together(stages: readonly HolderReport['receipt'][]): HolderReport['receipt'] {
  const order = ['SILENT', 'OPEN', 'DELETED'] as const;
  return order.find((stage) => stages.includes(stage)) ?? 'NOT_HELD';
}
