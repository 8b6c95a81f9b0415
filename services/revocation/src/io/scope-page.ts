import { ConcordatError } from '@concordat/common/domain/errors.js';
import { isName } from '@concordat/common/domain/header.js';
import { type EventId, parseEventId, parseMemberId } from '@concordat/common/domain/ids.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { ScopePage } from '../flows/context.js';

/** The node's answer. @throws ConcordatError RECORD_MALFORMED */
export function readScopePage(answer: concordat.node.v1.ScopeLossesResponse): ScopePage {
  const losses = answer.losses.map(({ recipient, sections, eventIds }) => {
    const member = parseMemberId(recipient);
    if (!member.ok || !sections.every(isName)) throw malformed('a recipient and names of sections');
    return { recipient: member.value, sections, ids: eventIds.map(eventId) };
  });
  if (answer.standing === '') throw malformed('a standing');
  return { standing: answer.standing, losses, next: answer.next };
}

function eventId(text: string): EventId {
  const id = parseEventId(text);
  if (!id.ok) throw malformed('event ids');
  return id.value;
}

function malformed(expected: string): ConcordatError {
  return new ConcordatError('RECORD_MALFORMED', `what left scope: expected ${expected}`);
}
