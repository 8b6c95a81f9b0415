import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type UnixMs, asUnixMs } from '@concordat/common/domain/ids.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import {
  type ReferenceNumber,
  type UnEntry,
  type UnSnapshot,
  type XmlDocument,
  type XmlElement,
  holdsText,
  trimXml,
} from './entry.js';

const ROOT = 'CONSOLIDATED_LIST';
const GROUPS = new Map([
  ['INDIVIDUALS', { element: 'INDIVIDUAL', kind: 'individual' }],
  ['ENTITIES', { element: 'ENTITY', kind: 'entity' }],
] as const) as ReadonlyMap<string, { readonly element: string; readonly kind: UnEntry['kind'] }>;

/** Undefined when nothing is left. */
export function parseReferenceNumber(text: string): ReferenceNumber | undefined {
  const reference = trimXml(text).replace(/\.$/, '');
  return reference === '' ? undefined : (reference as ReferenceNumber);
}

/**
 * One list as it was generated. An entry without reference or list, two entries of one reference, text where
 * none is known, or a list without entries is refused: read as "everybody was delisted" it would purge everything.
 */
export function toSnapshot(document: XmlDocument): Result<UnSnapshot, ConcordatError> {
  const { root, rootAttributes } = document;
  if (root.name !== ROOT) return invalid('/', `expected ${ROOT}, got ${root.name}`);
  const dateGenerated = trimXml(rootAttributes.get('dateGenerated') ?? '');
  const generatedMs = parseGenerated(dateGenerated);
  if (generatedMs === undefined) {
    const came = dateGenerated === '' ? 'none' : 'something else';
    return invalid(
      `/${ROOT}`,
      `expected dateGenerated like 2015-02-26T16:23:35-05:00, got ${came}`,
    );
  }
  const entries = readEntries(root);
  return entries.ok ? ok({ dateGenerated, generatedMs, entries: entries.value }) : entries;
}

/**
 * A date, or a date and time, of ISO 8601; without a zone it is UTC.
 *
 * @returns undefined for anything else, days that no month has included
 */
export function parseGenerated(text: string): UnixMs | undefined {
  const parts =
    /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(
      text,
    );
  if (!parts) return undefined;
  const [, year = '', month = '', day = '', time = '00:00', zone = 'Z'] = parts;
  const date = `${year}-${month}-${day}`;
  const midnightMs = Date.parse(`${date}T00:00Z`);
  if (Number.isNaN(midnightMs) || !new Date(midnightMs).toISOString().startsWith(date)) {
    return undefined;
  }
  const ms = Date.parse(`${date}T${time}${zone}`);
  return Number.isNaN(ms) ? undefined : asUnixMs(ms);
}

function readEntries(root: XmlElement): Result<readonly UnEntry[], ConcordatError> {
  if (trimXml(root.text) !== '') return invalid(`/${ROOT}`, 'expected elements only, got text');
  const entries = new Map<ReferenceNumber, UnEntry>();
  for (const groupElement of root.children) {
    const path = `/${ROOT}/${groupElement.name}`;
    const group = GROUPS.get(groupElement.name);
    if (!group) {
      if (holdsText(groupElement)) return invalid(path, 'an unknown element that holds text');
      continue;
    }
    if (trimXml(groupElement.text) !== '') return invalid(path, 'expected elements only, got text');
    let position = 0;
    for (const element of groupElement.children) {
      if (element.name !== group.element) {
        if (!holdsText(element)) continue;
        return invalid(`${path}/${element.name}`, 'an unknown element that holds text');
      }
      position += 1;
      const entry = readEntry(element, group.kind, `${path}/${element.name}[${position}]`);
      if (!entry.ok) return entry;
      const earlier = entries.get(entry.value.reference);
      if (earlier) {
        return invalid(entry.value.path, `has the REFERENCE_NUMBER of ${earlier.path}`);
      }
      entries.set(entry.value.reference, entry.value);
    }
  }
  if (entries.size === 0) return invalid(`/${ROOT}`, 'expected at least one entry, got none');
  return ok([...entries.values()]);
}

function readEntry(
  element: XmlElement,
  kind: UnEntry['kind'],
  path: string,
): Result<UnEntry, ConcordatError> {
  const reference = parseReferenceNumber(childText(element, 'REFERENCE_NUMBER'));
  if (reference === undefined) return invalid(path, 'expected a REFERENCE_NUMBER, got none');
  const listType = trimXml(childText(element, 'UN_LIST_TYPE'));
  if (listType === '') return invalid(path, 'expected a UN_LIST_TYPE, got none');
  return ok({ kind, reference, listType, element, path });
}

/** The first such child's text; that there is no second one with text, `toListing` checks. */
function childText(element: XmlElement, name: string): string {
  return element.children.find((child) => child.name === name && holdsText(child))?.text ?? '';
}

function invalid(path: string, problem: string): Result<never, ConcordatError> {
  return err(new ConcordatError('EVENT_INVALID', `UN list: ${path}: ${problem}`));
}
