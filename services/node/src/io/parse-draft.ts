import { EVENT_LIMITS } from '@concordat/common/domain/avro-walk.js';
import {
  type ConcordatErrorCode,
  type FieldProblem,
  asConcordatError,
  fieldError,
  fieldsError,
} from '@concordat/common/domain/errors.js';
import { isName } from '@concordat/common/domain/header.js';
import { type UnixMs, asUnixMs } from '@concordat/common/domain/ids.js';
import type { Audience, Handling } from '@concordat/common/domain/records.js';
import { parseStrictJson } from '@concordat/common/domain/strict-json.js';
import type { CategoryCodec, CategoryType } from '@concordat/common/io/avro/category-codec.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { Draft } from '../domain/compose.js';
import { demandFew, eventIdField, memberField } from './request-fields.js';

type PublishRequest = concordat.node.v1.PublishRequest;

const TLP = ['CLEAR', 'GREEN', 'AMBER', 'AMBER_STRICT', 'RED'] as const;
const EUROPOL = ['H0', 'H1', 'H2', 'H3'] as const;
const SOURCE = ['A', 'B', 'C', 'X'] as const;

/** An unknown code is refused, never mapped to another. */
function code<T extends string>(field: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === text);
  if (found !== undefined) return found;
  throw fieldError('REQUEST_INVALID', field, `expected ${allowed.join(', ')}`);
}

function handlingOf(given: PublishRequest['handling']): Handling {
  if (!given) throw fieldError('REQUEST_INVALID', 'handling', 'expected, came nothing');
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

function timeField(field: string, value: number): UnixMs {
  if (value > 0 && value <= TIME_MS_MAX) return asUnixMs(value);
  const problem = 'expected milliseconds since 1970 of a year up to 9999';
  throw fieldError('REQUEST_INVALID', field, problem);
}

/** Nothing given means nobody. */
function audienceOf(given: PublishRequest['audience']): Audience {
  if (!given) return { byAgreement: false, members: [] };
  demandFew('audience.members', given.members, AUDIENCE_MAX);
  const members = given.members.map((text, at) =>
    memberField(`audience.members[${String(at)}]`, text),
  );
  if (given.byAgreement && members.length > 0) {
    const problem = 'expected whoever an agreement allows, or members by name, not both';
    throw fieldError('REQUEST_INVALID', 'audience', problem);
  }
  if (new Set(members).size !== members.length) {
    throw fieldError('REQUEST_INVALID', 'audience.members', 'expected each member once');
  }
  return { byAgreement: given.byAgreement, members };
}

function typeOf(categories: CategoryCodec, { schemaHash }: PublishRequest): CategoryType {
  const type = categories.find(schemaHash);
  if (type) return type;
  const problem = 'expected the SHA-256 of a category schema of this node';
  throw fieldError('SCHEMA_UNKNOWN', 'schema_hash', problem);
}

function categoryOf(type: CategoryType, { category }: PublishRequest): string {
  if (type.describes(category)) return category;
  const problem = `expected ${type.category} or a name below it, of a kind that the schema declares`;
  throw fieldError('REQUEST_INVALID', 'category', problem);
}

function contentOf(
  type: CategoryType,
  { contentJson }: PublishRequest,
): Pick<Draft, 'sections' | 'subjects'> {
  const json = parseStrictJson(contentJson, EVENT_LIMITS.bytesMax);
  if (!json.ok) throw json.error;
  const sections = type.encode(json.value);
  if (!sections.ok) throw sections.error;
  return { sections: sections.value, subjects: type.subjects(json.value) };
}

function purposesOf({ purposes }: PublishRequest): readonly string[] {
  if (purposes.every(isName)) return purposes;
  throw fieldError('REQUEST_INVALID', 'purposes', 'expected lower-case names');
}

function parentsOf({ derivedFrom }: PublishRequest): Draft['derivedFrom']['parents'] {
  demandFew('derived_from', derivedFrom, PARENTS_MAX);
  return derivedFrom.map(({ origin, eventId }, at) => ({
    origin: memberField(`derived_from[${String(at)}].origin`, origin),
    id: eventIdField(`derived_from[${String(at)}].event_id`, eventId),
  }));
}

/**
 * @throws ConcordatError REQUEST_INVALID, SCHEMA_UNKNOWN or EVENT_INVALID, with every field that is not as it should be
 *         and without content; the first one's code counts
 */
export function parseDraft(categories: CategoryCodec, request: PublishRequest): Draft {
  const type = typeOf(categories, request);
  const problems: { readonly code: ConcordatErrorCode; readonly field: FieldProblem }[] = [];
  const read = <T>(part: () => T): T => {
    try {
      return part();
    } catch (cause) {
      const { code, details } = asConcordatError(cause);
      if (!details.fields) throw cause;
      problems.push(...details.fields.map((field) => ({ code, field })));
      return undefined as T; // no draft comes of it
    }
  };
  const draft: Draft = {
    id: read(() => eventIdField('event_id', request.eventId)),
    category: read(() => categoryOf(type, request)),
    schemaHash: type.hash,
    ...read(() => contentOf(type, request)),
    collectedAtMs: read(() => timeField('collected_at_ms', request.collectedAtMs)),
    retainUntilMs: read(() => timeField('retain_until_ms', request.retainUntilMs)),
    purposes: read(() => purposesOf(request)),
    legalBasis: request.legalBasis,
    handling: read(() => handlingOf(request.handling)),
    supersedes: read(() =>
      request.supersedes === '' ? null : eventIdField('supersedes', request.supersedes),
    ),
    audience: read(() => audienceOf(request.audience)),
    derivedFrom: read(() => ({ parents: parentsOf(request) })),
  };
  const [first, ...more] = problems;
  if (!first) return draft;
  throw fieldsError(first.code, [first.field, ...more.map(({ field }) => field)]);
}
