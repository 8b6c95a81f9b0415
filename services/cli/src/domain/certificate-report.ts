import type { CertifiedPurge } from '@concordat/common/domain/certificate.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type {
  Certificate,
  RecordCodec,
  RecordName,
  RecordTypes,
} from '@concordat/common/domain/records.js';
import { timeText } from './time-text.js';

/** What a valid certificate proves, for people and for programs. */
export interface CertificateReport {
  readonly origin: string;
  readonly order: string;
  readonly reason: string;
  readonly events: readonly string[];
  readonly orderedAt: string;
  readonly deadline: string;
  readonly keysDestroyedAt: string;
  readonly certifiedAt: string;
  readonly holders: readonly {
    readonly member: string;
    readonly events: number;
    readonly receipt: string;
    readonly answeredAt: string;
  }[];
}

/** The content of a signed statement whose signature was checked already. */
function contentOf<Name extends RecordName>(
  codec: RecordCodec,
  name: Name,
  bytes: Uint8Array,
): RecordTypes[Name] {
  const signed = codec.decode('Signed', bytes);
  const content = signed.ok ? codec.decode(name, signed.value.payload) : signed;
  if (content.ok) return content.value;
  throw new ConcordatError('CERTIFICATE_INVALID', `${name}: ${content.error.message}`);
}

/** @param certificate one that `verifyCertificate` found to prove `purge` */
export function certificateReport(
  codec: RecordCodec,
  certificate: Certificate,
  purge: CertifiedPurge,
): CertificateReport {
  const order = purge.order.value;
  const seal = contentOf(codec, 'SealRecord', certificate.sealRecord);
  return {
    origin: purge.origin,
    order: order.orderId,
    reason: order.reason,
    events: order.ids,
    orderedAt: timeText(order.issuedAtMs),
    deadline: timeText(order.deadlineMs),
    keysDestroyedAt: timeText(seal.timeMs),
    certifiedAt: timeText(purge.timeMs),
    holders: purge.holders.map(({ recipient, ids }) => {
      const own = certificate.holders.find((holder) => holder.recipient === recipient);
      const receipts = (own?.receipts ?? []).map((bytes) => contentOf(codec, 'Receipt', bytes));
      const anyDeleted = receipts.some(({ stage }) => stage === 'DELETED');
      return {
        member: recipient,
        events: ids.length,
        receipt: anyDeleted ? 'DELETED' : 'NOT_HELD',
        answeredAt: timeText(Math.max(0, ...receipts.map(({ timeMs }) => timeMs))),
      };
    }),
  };
}
