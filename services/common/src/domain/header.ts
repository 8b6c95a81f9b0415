import { isCategoryName } from './category.js';
import { ConcordatError, type FieldProblem } from './errors.js';
import { parseEventId, parseMemberId } from './ids.js';
import type { Header, RecordCodec } from './records.js';
import { type Result, err } from './result.js';
import { HEADER_VERSION } from './sealing.js';

export const SECTIONS_MAX = 32;
export const PURPOSES_MAX = 16;
const NAME = /^[a-z][a-z0-9_-]{0,63}$/;

/** A section's or purpose's name: lower-case, at most 64 characters. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** The first thing that a header says beyond its shape and that is wrong; undefined when nothing is. */
export function headerProblem(header: Header): FieldProblem | undefined {
  const problem = (field: string, what: string): FieldProblem => ({ field, problem: what });
  if (header.version !== HEADER_VERSION) {
    return problem('version', `expected ${String(HEADER_VERSION)}`);
  }
  if (!parseMemberId(header.origin).ok) return problem('origin', 'not a member id');
  if (!parseEventId(header.id).ok) return problem('id', 'not a UUIDv7');
  if (!isCategoryName(header.category)) return problem('category', 'not a category name');
  if (header.supersedes !== null && !parseEventId(header.supersedes).ok) {
    return problem('supersedes', 'not a UUIDv7');
  }
  if (header.retainUntilMs <= header.collectedAtMs) {
    return problem('retainUntilMs', 'not after collectedAtMs');
  }
  if (header.legalBasis.length === 0 || header.legalBasis.length > 512) {
    return problem('legalBasis', 'expected 1 to 512 characters');
  }
  if (header.handling.information < 1 || header.handling.information > 4) {
    return problem('handling.information', 'expected 1 to 4');
  }
  return (
    namesProblem('purposes', header.purposes, PURPOSES_MAX) ??
    namesProblem(
      'sections',
      header.sections.map((section) => section.name),
      SECTIONS_MAX,
    )
  );
}

function namesProblem(
  field: string,
  names: readonly string[],
  max: number,
): FieldProblem | undefined {
  if (names.length === 0 || names.length > max) {
    return { field, problem: `expected 1 to ${String(max)}` };
  }
  if (!names.every(isName)) return { field, problem: 'not a name' };
  return new Set(names).size === names.length
    ? undefined
    : { field, problem: 'a name stands twice' };
}

export function parseHeader(codec: RecordCodec, bytes: Uint8Array): Result<Header, ConcordatError> {
  const decoded = codec.decode('Header', bytes);
  if (!decoded.ok) return decoded;
  const problem = headerProblem(decoded.value);
  if (!problem) return decoded;
  return err(
    new ConcordatError('ENVELOPE_MALFORMED', `header: ${problem.field}: ${problem.problem}`),
  );
}
