import type { ReadBlock, ReadEnvelope } from '@concordat/common/domain/block.js';
import type { ReleaseDecision } from '@concordat/common/domain/decide-release.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type MemberId, type UnixMs, parseMemberId } from '@concordat/common/domain/ids.js';
import type { Audience, Header, Opening, RecordCodec } from '@concordat/common/domain/records.js';
import { type Result, err } from '@concordat/common/domain/result.js';
import type { ReleaseRules } from '@concordat/common/domain/release-rules.js';
import { isOpening } from '@concordat/common/domain/sealing.js';

export interface DecidedEnvelope {
  readonly envelope: ReadEnvelope;
  /** one per possible recipient, in their order */
  readonly decisions: readonly {
    readonly recipient: MemberId;
    readonly decision: ReleaseDecision;
  }[];
  /** why nobody could be told apart: then it is withheld from everybody */
  readonly problem?: ConcordatError;
}

/** Every envelope of a verified block for every possible recipient. */
export function decideBlock(
  codec: RecordCodec,
  block: ReadBlock,
  recipients: readonly MemberId[],
  by: {
    readonly rules: Pick<ReleaseRules, 'decide'>;
    /** nothing goes to them, whatever a rule says */
    readonly leavers: ReadonlySet<MemberId>;
  },
  nowMs: UnixMs,
): readonly DecidedEnvelope[] {
  return block.envelopes.map((envelope) => {
    const { header } = envelope;
    const audience = openAudience(codec, header, envelope.envelope.audience);
    const decide = (recipient: MemberId): ReleaseDecision => {
      if (!audience.ok) return { outcome: 'withheld', reason: 'AUDIENCE_UNREADABLE' };
      if (by.leavers.has(recipient)) return { outcome: 'withheld', reason: 'MEMBER_LEAVES' };
      return by.rules.decide({ header, audience: audience.value, recipient }, nowMs);
    };
    const decisions = recipients.map((recipient) => ({ recipient, decision: decide(recipient) }));
    return { envelope, decisions, ...(!audience.ok && { problem: audience.error }) };
  });
}

/**
 * The audience that a header commits to.
 *
 * @returns ENVELOPE_MALFORMED when the opening is missing, is no audience, or contradicts itself; COMMITMENT_MISMATCH
 */
export function openAudience(
  codec: RecordCodec,
  header: Pick<Header, 'audience'>,
  opening: Opening | null,
): Result<Audience, ConcordatError> {
  if (!opening)
    return refuse('ENVELOPE_MALFORMED', 'expected the opening of the audience, came none');
  if (!isOpening('audience', header.audience, opening)) {
    return refuse('COMMITMENT_MISMATCH', 'expected the audience that the header commits to');
  }
  const audience = codec.decode('Audience', opening.value);
  if (!audience.ok) return refuse('ENVELOPE_MALFORMED', audience.error.message);
  const { byAgreement, members } = audience.value;
  if (byAgreement && members.length > 0) {
    return refuse('ENVELOPE_MALFORMED', 'audience: expected an agreement or members, came both');
  }
  if (members.some((member) => !parseMemberId(member).ok)) {
    return refuse('ENVELOPE_MALFORMED', 'audience: expected member ids only');
  }
  return audience;
}

function refuse(code: ConcordatError['code'], message: string): Result<never, ConcordatError> {
  return err(new ConcordatError(code, message));
}
