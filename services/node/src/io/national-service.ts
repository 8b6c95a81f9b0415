import { isCategoryName, matchesCategory } from '@concordat/common/domain/category.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { isName } from '@concordat/common/domain/header.js';
import {
  type EventId,
  type MemberId,
  asUnixMs,
  parseEventId,
  parseMemberId,
} from '@concordat/common/domain/ids.js';
import type { Audience, Handling } from '@concordat/common/domain/records.js';
import { parseStrictJson } from '@concordat/common/domain/strict-json.js';
import type { CategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { NationalService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import { type CallContext, type Served, serve } from '@concordat/common/io/rpc/server.js';
import { EVENT_LIMITS } from '@concordat/common/domain/avro-guard.js';
import type { Draft } from '../domain/compose.js';
import type { NodeContext } from '../flows/context.js';
import type { Notice } from '../flows/notices.js';
import type { Publisher } from '../flows/publish.js';
import type { Reader } from '../flows/read.js';

type PublishRequest = concordat.node.v1.PublishRequest;
type SubscribeRequest = concordat.node.v1.SubscribeRequest;
type WireNotice = concordat.node.v1.Notice;

/** Notices that a slow subscriber may leave unread before its stream is ended. */
const NOTICES_MAX = 10_000;

function need<T>(
  field: string,
  parsed: { readonly ok: true; readonly value: T } | { readonly ok: false },
  expected: string,
): T {
  if (parsed.ok) return parsed.value;
  throw new ConcordatError('REQUEST_INVALID', `${field}: expected ${expected}`);
}

export function eventIdField(field: string, text: string): EventId {
  return need(field, parseEventId(text), 'a UUIDv7 in lower-case text form');
}

export function memberField(field: string, text: string): MemberId {
  return need(field, parseMemberId(text), 'a member id of 2 to 8 lower-case letters');
}

const TLP = ['CLEAR', 'GREEN', 'AMBER', 'AMBER_STRICT', 'RED'] as const;
const EUROPOL = ['H0', 'H1', 'H2', 'H3'] as const;
const SOURCE = ['A', 'B', 'C', 'X'] as const;

/** An unknown code is refused, never mapped to another. */
function code<T extends string>(field: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === text);
  if (found !== undefined) return found;
  throw new ConcordatError('REQUEST_INVALID', `${field}: expected ${allowed.join(', ')}`);
}

function handlingOf(given: PublishRequest['handling']): Handling {
  if (!given) throw new ConcordatError('REQUEST_INVALID', 'handling: expected, came nothing');
  return {
    tlp: code('handling.tlp', given.tlp, TLP),
    europol: code('handling.europol', given.europol, EUROPOL),
    source: code('handling.source', given.source, SOURCE),
    information: given.information,
  };
}

/** Nothing given means nobody. */
function audienceOf(given: PublishRequest['audience']): Audience {
  if (!given) return { byAgreement: false, members: [] };
  const members = given.members.map((text, at) =>
    memberField(`audience.members[${String(at)}]`, text),
  );
  return { byAgreement: given.byAgreement, members };
}

/** @throws ConcordatError REQUEST_INVALID or EVENT_INVALID, with the path and without content */
export function parseDraft(categories: CategoryCodec, request: PublishRequest): Draft {
  const id = eventIdField('event_id', request.eventId);
  const type = categories.find(request.schemaHash);
  if (!type) {
    throw new ConcordatError(
      'SCHEMA_UNKNOWN',
      'schema_hash: expected the SHA-256 of a category schema of this node',
    );
  }
  const { category } = request;
  if (!isCategoryName(category) || category.split('.')[0] !== type.category) {
    throw new ConcordatError(
      'REQUEST_INVALID',
      `category: expected a name below ${type.category}, as the schema says`,
    );
  }
  const json = parseStrictJson(request.contentJson, EVENT_LIMITS.bytesMax);
  if (!json.ok) throw json.error;
  const sections = type.encode(json.value);
  if (!sections.ok) throw sections.error;
  if (!request.purposes.every(isName)) {
    throw new ConcordatError('REQUEST_INVALID', 'purposes: expected lower-case names');
  }
  return {
    id,
    category,
    schemaHash: type.hash,
    sections: sections.value,
    collectedAtMs: asUnixMs(request.collectedAtMs),
    retainUntilMs: asUnixMs(request.retainUntilMs),
    purposes: request.purposes,
    legalBasis: request.legalBasis,
    handling: handlingOf(request.handling),
    supersedes: request.supersedes === '' ? null : eventIdField('supersedes', request.supersedes),
    audience: audienceOf(request.audience),
    derivedFrom: {
      parents: request.derivedFrom.map(({ origin, eventId }, at) => ({
        origin: memberField(`derived_from[${String(at)}].origin`, origin),
        id: eventIdField(`derived_from[${String(at)}].event_id`, eventId),
      })),
    },
  };
}

export function nationalService(flows: {
  readonly context: NodeContext;
  readonly publisher: Publisher;
  readonly reader: Reader;
}): Served {
  const { context, publisher, reader } = flows;
  return serve(NationalService, {
    async publish(request) {
      const published = await publisher.publish(parseDraft(context.categories, request));
      const { id, lane, epoch, number, leaf, repeated } = published;
      return { eventId: id, lane, epoch, blockNumber: number, leaf, repeated };
    },
    async read(request, { caller }) {
      const { purpose, caseId } = request;
      const origin = memberField('origin', request.origin);
      const id = eventIdField('event_id', request.eventId);
      const opened = await reader.read({ origin, id, purpose, caseId, caller });
      const { header, sections, deleteByMs, warnings } = opened;
      return {
        origin,
        eventId: id,
        category: header.category,
        sections: [...sections].map(([name, content]) => ({
          name,
          contentJson: Buffer.from(JSON.stringify(content)),
        })),
        deleteByMs,
        handling: header.handling,
        warnings,
      };
    },
    subscribe: (request, call) => subscribe(context, request, call),
  });
}

/** Tells of events that become readable for the purpose, or are withdrawn; content is only ever read by Read. */
async function* subscribe(
  context: NodeContext,
  request: SubscribeRequest,
  { signal }: CallContext,
): AsyncGenerator<WireNotice> {
  const { data, notices, state } = context;
  const pattern = request.category === '' ? '**' : request.category;
  const queue: WireNotice[] = [];
  let wake = (): void => undefined;
  const push = ({ kind, origin, id, category }: Notice): void => {
    if (!matchesCategory(pattern, category)) return;
    const released = data.find(origin, id)?.release?.purposes;
    if (kind === 'READABLE' && released?.includes(request.purpose) === false) return;
    queue.push({ kind, origin, eventId: id, category });
    wake();
  };
  const stop = notices.listen(push);
  try {
    if (request.includeHeld) {
      for (const { origin, id, category } of data.readable()) {
        if (!state.isBuried(origin, id)) push({ kind: 'READABLE', origin, id, category });
      }
    }
    while (!signal.aborted) {
      if (queue.length > NOTICES_MAX) {
        throw new ConcordatError('PEER_UNAVAILABLE', 'too many unread notices: subscribe again');
      }
      const next = queue.shift();
      if (next) {
        yield next;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  } finally {
    stop();
  }
}
