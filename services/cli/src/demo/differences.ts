import { isDeepStrictEqual } from 'node:util';

/** One value of a report that came otherwise than expected. */
export interface Difference {
  /** `members.de.readable` */
  readonly field: string;
  readonly expected: unknown;
  readonly came: unknown;
}

/** Every innermost field in which two reports differ; one that is missing on a side is `undefined` there. */
export function differencesBetween(expected: unknown, came: unknown, field = ''): Difference[] {
  if (isDeepStrictEqual(expected, came)) return [];
  if (!isRecord(expected) || !isRecord(came)) return [{ field, expected, came }];
  const names = new Set([...Object.keys(expected), ...Object.keys(came)]);
  return [...names].flatMap((name) =>
    differencesBetween(expected[name], came[name], field === '' ? name : `${field}.${name}`),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
