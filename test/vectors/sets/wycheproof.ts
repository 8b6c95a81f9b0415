import {
  type Json,
  type JsonObject,
  VectorUnreadable,
  fieldsOf,
  isObject,
  listOf,
} from '../vector-set.js';

/** One test of a Wycheproof file, with the group it stands in. */
export interface WycheproofTest {
  readonly id: string;
  readonly group: JsonObject;
  readonly test: JsonObject;
}

export const WYCHEPROOF_RESULTS = ['valid', 'acceptable', 'invalid'] as const;
export type WycheproofResult = (typeof WYCHEPROOF_RESULTS)[number];

/** `testvectors` and `testvectors_v1` share this frame. @returns undefined for other algorithms, and for other files */
export function wycheproofTests(
  file: Json,
  algorithm: string,
  isGroup: (group: JsonObject) => boolean,
): readonly WycheproofTest[] | undefined {
  if (!isObject(file) || file['algorithm'] !== algorithm) return undefined;
  const groups = listOf(file['testGroups']).filter(isObject);
  if (!groups.some(isGroup)) return undefined;
  return groups.flatMap((group) =>
    listOf(group['tests']).map((one) => {
      const test = fieldsOf(one);
      return { id: idOf(test), group, test };
    }),
  );
}

function idOf(test: JsonObject): string {
  const comment = typeof test['comment'] === 'string' ? test['comment'] : '';
  const number = `tcId ${JSON.stringify(test['tcId'])}`;
  return comment === '' ? number : `${number} "${comment}"`;
}

export function resultOf(test: JsonObject): WycheproofResult {
  const result = WYCHEPROOF_RESULTS.find((one) => one === test['result']);
  if (result) return result;
  throw new VectorUnreadable(`expected result to be one of ${WYCHEPROOF_RESULTS.join(', ')}`);
}
