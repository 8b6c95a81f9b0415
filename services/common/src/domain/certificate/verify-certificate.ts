import { ConcordatError } from '../errors.js';
import type { EventId, MemberId } from '../ids.js';
import type { Certificate, CertifiedHolder, RecordCodec } from '../records.js';
import { type Result, err, ok } from '../result.js';
import {
  type CheckStatement,
  type KeyDirectory,
  type Verified,
  checkStatements,
} from '../statement.js';
import { checkBlocks } from './chain.js';
import { checkChildren, hasOpenChildren } from './children.js';
import { checkEntries, checkHolderLists } from './holders.js';
import { checkApprovals, checkOrder, checkSeal } from './order.js';
import { type Answer, type Why, checkNotices, checkReceipts, whyOpen } from './receipts.js';
import { Invalid, Reading, demand } from './rules.js';

/** Certificates inside of certificates: further down nobody would find out in time. */
const LEVELS_MAX = 8;

/** An entry that is not answered for good. */
export interface Missing {
  readonly recipient: MemberId;
  /** its number in the recipient's purge ledger */
  readonly entry: number;
  readonly why: Why;
}

export interface CertifiedHolding {
  readonly recipient: MemberId;
  readonly ids: readonly EventId[];
  readonly answers: readonly Answer[];
  /** what its own certificates of derived events prove */
  readonly children: readonly CertifiedPurge[];
}

/** What a valid certificate proves. It is complete when nothing is missing. */
export interface CertifiedPurge {
  readonly origin: MemberId;
  readonly order: Verified<'PurgeOrder'>;
  readonly seal: Verified<'SealRecord'>;
  /** who signed order and approvals, each person once */
  readonly people: number;
  readonly holders: readonly CertifiedHolding[];
  readonly missing: readonly Missing[];
  readonly timeMs: number;
}

/**
 * Checks a certificate with public keys only, no network, by the rules of docs/certificate.md: the order and who approved
 * it, the seal, the complete ledger chain of every block that the order touched, the holders that these chains name, and
 * what each of them answered to every entry.
 *
 * @param certificate verified by `verifyDsse`, so that its signer is the revocation service of `origin`
 * @param statements remembers what was verified, for who checks many certificates of the same blocks
 * @returns CERTIFICATE_INVALID with the first rule that does not hold
 */
export function verifyCertificate(
  codec: RecordCodec,
  keys: KeyDirectory,
  certificate: Certificate,
  statements: CheckStatement = checkStatements(codec, keys),
): Result<CertifiedPurge, ConcordatError> {
  try {
    return ok(check(codec, statements, certificate, 1));
  } catch (cause) {
    if (!(cause instanceof Invalid)) throw cause;
    return err(new ConcordatError('CERTIFICATE_INVALID', cause.message));
  }
}

function check(
  codec: RecordCodec,
  statements: CheckStatement,
  certificate: Certificate,
  level: number,
): CertifiedPurge {
  demand(level <= LEVELS_MAX, 'K5', 'certificates inside of certificates, too many levels');
  const { origin, timeMs } = certificate;
  const reading = new Reading(codec, statements, origin);
  const order = checkOrder(reading, certificate.order);
  const seal = checkSeal(reading, certificate.sealRecord, order);
  const people = checkApprovals(reading, certificate.approvals, order, seal);
  const found = checkBlocks(reading, certificate.blocks, seal.value);
  checkHolderLists(seal.value, certificate.holders, found);
  const missing: Missing[] = [];
  const holders = certificate.holders.map((holder) => {
    const facts = { order, seal, ids: found.get(holder.recipient) ?? new Set<EventId>() };
    const { holding, open } = checkHolder(reading, holder, facts, (child) =>
      check(codec, statements, child, level + 1),
    );
    missing.push(...open);
    return holding;
  });
  return { origin, order, seal, people, holders, missing, timeMs };
}

function checkHolder(
  reading: Reading,
  holder: CertifiedHolder,
  facts: Parameters<typeof checkEntries>[2],
  verifyChild: (certificate: Certificate) => CertifiedPurge,
): { readonly holding: CertifiedHolding; readonly open: readonly Missing[] } {
  const { recipient } = holder;
  const entries = checkEntries(reading, holder, facts);
  const answers = checkReceipts(reading, holder, entries);
  checkNotices(reading, holder, answers);
  const children = checkChildren(reading, holder, answers, verifyChild);
  const { grants } = facts.seal.value;
  const open = answers.flatMap((answer) => {
    const whys: readonly Why[] = hasOpenChildren(answer, grants, children)
      ? ['children']
      : whyOpen(answer);
    return whys.map((why) => ({ recipient, entry: answer.entry.value.number, why }));
  });
  const purges = children.map(({ purge }) => purge);
  return { holding: { recipient, ids: [...facts.ids], answers, children: purges }, open };
}
