import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SNAPSHOT_BYTES_MAX, readSnapshots } from './un-list-folder.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'concordat-un-list-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const list = (dateGenerated: string) =>
  `<CONSOLIDATED_LIST dateGenerated="${dateGenerated}"><ENTITIES><ENTITY>` +
  '<REFERENCE_NUMBER>QDe.1</REFERENCE_NUMBER><UN_LIST_TYPE>Iran</UN_LIST_TYPE>' +
  '</ENTITY></ENTITIES></CONSOLIDATED_LIST>';
const put = (name: string, content: string | Uint8Array) => writeFileSync(join(dir, name), content);

test('lists come in the order of their time, whatever their files are called', async () => {
  put('a.xml', list('2015-03-01T00:00:00'));
  put('b.XML.gz', gzipSync(list('2015-03-01T00:00:00+05:00')));
  put('c.xml.gz', list('2015-02-28T20:00:00-05:00'));
  put('README.md', 'not a list');
  const snapshots = await readSnapshots(dir);
  expect(snapshots.map(({ file }) => file)).toEqual(['b.XML.gz', 'a.xml', 'c.xml.gz']);
});

describe('refused, with the file and what to do', () => {
  test.each<[name: string, files: Record<string, string | Uint8Array>, message: string]>([
    ['an empty folder', {}, 'expected 1 to 1000 files named *.xml or *.xml.gz in'],
    ['bad XML', { 'a.xml': '<a' }, 'a.xml: expected a well-formed XML document'],
    ['other XML', { 'a.xml': '<a/>' }, 'a.xml: UN list: /: expected CONSOLIDATED_LIST, got a'],
    [
      'damaged gzip',
      { 'a.xml.gz': gzipSync(list('2015-03-01')).subarray(0, 60) },
      'a.xml.gz: expected a whole gzip file, got a damaged one; fetch the file again',
    ],
    [
      'gzip that inflates beyond the limit',
      { 'a.xml.gz': gzipSync(Buffer.alloc(SNAPSHOT_BYTES_MAX + 1)) },
      'a.xml.gz: expected at most 67108864 bytes inflated, got more',
    ],
    ['bytes that are not UTF-8', { 'a.xml': Uint8Array.of(0xc3, 0x28) }, 'a.xml: expected UTF-8'],
    [
      'two lists of one time',
      { 'a.xml': list('2015-03-01'), 'b.xml': list('2015-03-01T00:00Z') },
      'got the same in a.xml and b.xml; remove one',
    ],
  ])('%s', async (_name, files, message) => {
    for (const [name, content] of Object.entries(files)) put(name, content);
    await expect(readSnapshots(dir)).rejects.toMatchObject({
      name: 'ConcordatError',
      message: expect.stringContaining(message),
    });
  });

  test('a plain file beyond the limit, unread', async () => {
    put('a.xml', '');
    truncateSync(join(dir, 'a.xml'), SNAPSHOT_BYTES_MAX + 1);
    await expect(readSnapshots(dir)).rejects.toMatchObject({
      message: 'a.xml: expected at most 67108864 bytes, got 67108865; fetch the file again',
    });
  });

  test('a folder that is not there', async () => {
    await expect(readSnapshots(join(dir, 'none'))).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('name another folder'),
    });
  });
});
