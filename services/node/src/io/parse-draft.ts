import { EVENT_LIMITS } from '@concordat/common/domain/avro-guard.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { isName } from '@concordat/common/domain/header.js';
import { type UnixMs, asUnixMs } from '@concordat/common/domain/ids.js';
import type { Audience, Handling } from '@concordat/common/domain/records.js';
import { parseStrictJson } from '@concordat/common/domain/strict-json.js';
import type { CategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { Draft } from '../domain/compose.js';
import { eventIdField, memberField } from './request-fields.js';

type PublishRequest = concordat.node.v1.PublishRequest;

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

/** What a record may carry is limited, and a block that no topic takes would stop its lane for ever. */
const AUDIENCE_MAX = 256;
const PARENTS_MAX = 64;
/** 9999-12-31T23:59:59.999Z */
const TIME_MS_MAX = 253_402_300_799_999;

function demandFew(field: string, given: readonly unknown[], max: number): void {
  if (given.length <= max) return;
  const text = `${field}: expected at most ${String(max)}, got ${String(given.length)}`;
  throw new ConcordatError('REQUEST_INVALID', text);
}

function timeField(field: string, value: number): UnixMs {
  if (value > 0 && value <= TIME_MS_MAX) return asUnixMs(value);
  const text = `${field}: expected milliseconds since 1970 of a year up to 9999`;
  throw new ConcordatError('REQUEST_INVALID', text);
}

/** Nothing given means nobody. */
function audienceOf(given: PublishRequest['audience']): Audience {
  if (!given) return { byAgreement: false, members: [] };
  demandFew('audience.members', given.members, AUDIENCE_MAX);
  const members = given.members.map((text, at) =>
    memberField(`audience.members[${String(at)}]`, text),
  );
  if (given.byAgreement && members.length > 0) {
    const text = 'audience: expected whoever an agreement allows, or members by name, not both';
    throw new ConcordatError('REQUEST_INVALID', text);
  }
  if (new Set(members).size !== members.length) {
    throw new ConcordatError('REQUEST_INVALID', 'audience.members: expected each member once');
  }
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
  if (!type.describes(category)) {
    throw new ConcordatError(
      'REQUEST_INVALID',
      `category: expected ${type.category} or a name below it, of a kind that the schema declares`,
    );
  }
  const json = parseStrictJson(request.contentJson, EVENT_LIMITS.bytesMax);
  if (!json.ok) throw json.error;
  const sections = type.encode(json.value);
  if (!sections.ok) throw sections.error;
  demandFew('derived_from', request.derivedFrom, PARENTS_MAX);
  if (!request.purposes.every(isName)) {
    throw new ConcordatError('REQUEST_INVALID', 'purposes: expected lower-case names');
  }
  return {
    id,
    category,
    schemaHash: type.hash,
    sections: sections.value,
    collectedAtMs: timeField('collected_at_ms', request.collectedAtMs),
    retainUntilMs: timeField('retain_until_ms', request.retainUntilMs),
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
