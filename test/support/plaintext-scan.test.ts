import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Scanner, encodingsOf, personalTexts } from './plaintext-scan.js';

const CUT = fileURLToPath(new URL('../data/un-sanctions-cut', import.meta.url));
const NAME = 'JOSÉ ??>> EXAMPLE'; // `?` and `>` make the two base64 alphabets differ
const NUMBER = 'A0123456';
const CHUNK = 64;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'concordat-scan-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const scan = (texts: readonly string[]) => new Scanner(texts.flatMap(encodingsOf), CHUNK).scan(dir);

const utf8 = (text: string) => Buffer.from(text, 'utf8');
const WAYS: Record<string, (text: string) => Buffer> = {
  'UTF-8': utf8,
  'UTF-16LE': (text) => Buffer.from(text, 'utf16le'),
  'lower-case hex': (text) => utf8(utf8(text).toString('hex')),
  'upper-case hex': (text) => utf8(utf8(text).toString('hex').toUpperCase()),
  ...Object.fromEntries(
    (['base64', 'base64url'] as const).flatMap((alphabet) =>
      ['', 'x', 'xy'].map((before) => [
        `${alphabet} after ${String(before.length)} bytes`,
        (text: string) => utf8(utf8(`${before}${text} and more`).toString(alphabet)),
      ]),
    ),
  ),
};

test.each(Object.keys(WAYS))('finds a name and a number in %s', async (way) => {
  await mkdir(join(dir, 'a', 'b'), { recursive: true });
  for (const text of [NAME, NUMBER]) {
    const planted = WAYS[way]?.(text) ?? Buffer.alloc(0);
    await writeFile(join(dir, 'a', 'b', 'file'), Buffer.concat([utf8('{"x":"'), planted]));
    expect(await scan([NAME, NUMBER])).toEqual([
      { file: join(dir, 'a', 'b', 'file'), needle: text },
    ]);
  }
});

test('finds a text wherever it stands, across the borders of chunks too', async () => {
  const planted = Array.from({ length: 2 * CHUNK + 2 }, (_one, at) => at);
  for (const at of planted) {
    await writeFile(join(dir, String(at)), Buffer.concat([Buffer.alloc(at), utf8(NAME)]));
  }
  const found = await scan([NAME]);
  expect(found.map(({ file }) => Number(file.split('/').at(-1))).sort((a, b) => a - b)).toEqual(
    planted,
  );
});

test('finds nothing in what only resembles a text', async () => {
  await writeFile(join(dir, 'file'), `${NUMBER.slice(0, -1)}7 ${NAME.toLowerCase()} A012345`);
  await writeFile(join(dir, 'empty'), '');
  expect(await scan([NAME, NUMBER])).toEqual([]);
});

test('passes over a directory that is gone', async () => {
  await rm(dir, { recursive: true });
  expect(await scan([NAME])).toEqual([]);
});

test('takes names of 12 characters, numbers of 6 with a digit and comments from a list', async () => {
  const individual = [
    '<FIRST_NAME>EXAMPLE</FIRST_NAME><SECOND_NAME> PERSON </SECOND_NAME>',
    '<UN_LIST_TYPE>Al-Qaida</UN_LIST_TYPE><REFERENCE_NUMBER>QDi.999</REFERENCE_NUMBER>',
    '<COMMENTS1>A comment that is long enough to tell.</COMMENTS1>',
    ...['A-12345', '12345', 'ABCDEFG'].map(
      (number) => `<INDIVIDUAL_DOCUMENT><NUMBER>${number}</NUMBER></INDIVIDUAL_DOCUMENT>`,
    ),
  ].join('');
  const short = individual.replace('EXAMPLE', 'AN').replace('QDi.999', 'QDi.998');
  await writeFile(
    join(dir, 'list.xml'),
    '<CONSOLIDATED_LIST dateGenerated="2015-01-01T00:00:00"><INDIVIDUALS>' +
      `<INDIVIDUAL>${individual}</INDIVIDUAL><INDIVIDUAL>${short}</INDIVIDUAL>` +
      '</INDIVIDUALS><ENTITIES></ENTITIES></CONSOLIDATED_LIST>',
  );
  expect(await personalTexts(dir)).toEqual([
    'EXAMPLE PERSON',
    'A comment that is long enough to tell.',
    'A-12345',
  ]);
});

test('finds the numbers and comments of a real list in the list itself', async () => {
  const texts = await personalTexts(CUT);
  const found = await new Scanner(texts.flatMap(encodingsOf)).scan(CUT);
  expect(new Set(found.map(({ needle }) => needle)).size).toBeGreaterThan(texts.length / 2);
});
