/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call --
   the tests reach into documents of seven shapes, to spoil them */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { vectorsCommand } from './vectors-command.js';

const DATA = fileURLToPath(new URL('data', import.meta.url));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vectors-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function run(folder: string) {
  const lines: string[] = [];
  const errors: string[] = [];
  const exit = vectorsCommand(folder, { out: (l) => lines.push(l), err: (l) => errors.push(l) });
  return { exit, lines, errors, total: lines.at(-1) };
}

/** Files of `dir`, of text or of what becomes JSON. */
function put(files: Readonly<Record<string, unknown>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir, name);
    mkdirSync(dirname(path), { recursive: true });
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(path, raw ? content : JSON.stringify(content));
  }
}

function runJson(json: unknown) {
  put({ 'x/y.json': json });
  return run(dir);
}

type Document = any;
const documentOf = (name: string): Document => JSON.parse(readFileSync(join(DATA, name), 'utf8'));

/** The vectors within a document, to be changed in place. */
const SETS: [set: string, file: string, vectorsOf: (doc: Document) => Document[]][] = [
  ['Wycheproof Ed25519', 'ed25519-groups.json', groupTests],
  ['Wycheproof Ed25519', 'ed25519-groups-older.json', groupTests],
  ['Wycheproof AES-GCM', 'aes-gcm-groups.json', groupTests],
  ['CCTV Ed25519', 'ed25519-edge-points.json', (doc) => doc],
  ['DSSE threshold', 'dsse-threshold.json', (doc) => doc.vectors],
  ['RFC 6962 inclusion', 'inclusion-proofs.json', (doc) => doc],
  ['RFC 6962 inclusion', 'inclusion-proof.json', (doc) => [doc]],
  ['RFC 6962 consistency', 'consistency-proofs.json', (doc) => doc],
  ['Avro must-reject', 'avro-must-reject.json', (doc) => doc.vectors],
];

function groupTests(doc: Document): Document[] {
  return doc.testGroups.flatMap((group: Document) => group.tests);
}

describe('the sets of this repository', () => {
  test('pass as a whole', () => {
    const { exit, lines, total } = run(DATA);
    expect(exit).toBe(0);
    expect(total).toMatch(/^[1-9]\d* passed, 0 failed$/);
    // the page that describes them
    expect(lines).toContain('not ours: 1 files');
  });

  test.each(SETS)('%s is recognised by content: %s', (set, file, vectorsOf) => {
    const doc = documentOf(file);
    const { exit, lines, total } = runJson(doc);
    const expected = `${vectorsOf(doc).length} passed, 0 failed`;
    expect(lines).toContain(`ok        x/y.json: ${set}, ${expected}`);
    expect(lines).toContain(`${set}: 1 files, ${expected}`);
    expect([exit, total]).toEqual([0, expected]);
  });
});

/** What makes the answer to a vector the wrong one; vectors outside of our profile are refused whatever they say. */
const FLIPS: [
  file: string,
  isWithin: (vector: Document) => boolean,
  flip: (vector: Document) => void,
][] = [
  [
    'ed25519-groups.json',
    ({ comment }) => comment !== 'a key of another curve',
    (vector) => (vector.result = vector.result === 'valid' ? 'invalid' : 'valid'),
  ],
  [
    'aes-gcm-groups.json',
    ({ key, iv, tag }) => key.length === 64 && iv.length === 24 && tag.length === 32,
    (vector) => (vector.result = vector.result === 'valid' ? 'invalid' : 'valid'),
  ],
  [
    'ed25519-edge-points.json',
    () => true,
    (vector) => (vector.flags = vector.flags?.length > 0 ? null : ['low_order_R']),
  ],
  [
    'dsse-threshold.json',
    ({ name }) => !/another kind of key( does not help)?$/.test(name),
    (vector) => (vector.valid = !vector.valid),
  ],
  ['inclusion-proofs.json', () => true, (vector) => (vector.wantErr = !vector.wantErr)],
  ['consistency-proofs.json', () => true, (vector) => (vector.wantErr = !vector.wantErr)],
  [
    'avro-must-reject.json',
    () => true,
    (vector) => Object.assign(vector, { schema: '"int"', bytesHex: '02' }),
  ],
];

describe('a wrong answer is noticed', () => {
  test.each(FLIPS)('for each vector of %s', (file, isWithin, flip) => {
    const [, , vectorsOf] = SETS.find(([, name]) => name === file) ?? [];
    const doc = documentOf(file);
    const vectors = vectorsOf?.(doc) ?? [];
    const within = vectors.filter(isWithin);
    for (const vector of within) flip(vector);
    const { exit, total } = runJson(doc);
    expect(total).toBe(`${vectors.length - within.length} passed, ${within.length} failed`);
    expect(within.length).toBeGreaterThan(0);
    expect(exit).toBe(1);
  });

  test('and named with what was expected and what came', () => {
    const doc = documentOf('ed25519-groups.json');
    doc.testGroups[0].tests[4].result = 'valid';
    const { lines } = runJson(doc);
    expect(lines).toContain('FAILED    x/y.json: Wycheproof Ed25519, 12 passed, 1 failed');
    expect(lines.join('\n')).toContain(
      'tcId 5 "modified R": expected accepted (valid), came refused',
    );
  });

  test.each<[name: string, field: string, value: unknown]>([
    ['plaintext', 'msg', '00'],
    ['ciphertext', 'ct', '00'],
    ['tag', 'tag', '00'.repeat(16)],
    ['additional data', 'aad', ''],
  ])('when a valid AES-GCM vector has another %s', (_name, field, value) => {
    const doc = documentOf('aes-gcm-groups.json');
    doc.testGroups[0].tests[0][field] = value;
    expect(runJson(doc).total).toBe('12 passed, 1 failed');
  });
});

test.each<[file: string, spoil: (vector: Document) => void]>([
  ['ed25519-groups.json', (vector) => (vector.result = 'perhaps')],
  ['ed25519-groups.json', (vector) => delete vector.sig],
  ['aes-gcm-groups.json', (vector) => (vector.key = 'xyz')],
  ['ed25519-edge-points.json', (vector) => (vector.flags = ['a_new_flag'])],
  ['ed25519-edge-points.json', (vector) => delete vector.flags],
  ['dsse-threshold.json', (vector) => (vector.valid = 'perhaps')],
  ['dsse-threshold.json', (vector) => (vector.threshold = 'one')],
  ['inclusion-proofs.json', (vector) => delete vector.wantErr],
  ['consistency-proofs.json', (vector) => (vector.proof = 'text')],
  ['avro-must-reject.json', (vector) => (vector.schema = '{')],
  ['avro-must-reject.json', (vector) => (vector.bytesHex = '0')],
])('a vector of %s that cannot be read has failed (%#)', (file, spoil) => {
  const doc = documentOf(file);
  const vectors = SETS.find(([, name]) => name === file)?.[2](doc) ?? [];
  spoil(vectors[0]);
  const { exit, total, lines } = runJson(doc);
  expect(total).toBe(`${vectors.length - 1} passed, 1 failed`);
  expect(lines.join('\n')).toContain(': cannot be checked: ');
  expect(exit).toBe(1);
});

describe('files that are not ours', () => {
  test('are listed and fail nothing', () => {
    const groups = [{ type: 'AeadTest', tests: [{ tcId: 1, result: 'valid' }] }];
    put({
      'a.txt': 'not a vector',
      'b.json': { algorithm: 'CHACHA20-POLY1305', testGroups: groups },
      'c/d.json': '{"broken": ',
      'c/e.json': '',
      'c/f.bin': Uint8Array.of(0, 255, 128),
      'g.json': [],
      'h.json': null,
      'i.json': { algorithm: 'AES-GCM', testGroups: [] },
      'j.json': { payload: '', payloadType: 'a', signatures: [] },
      'k.json': '['.repeat(200_000),
      'l.json': `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
      'm.json': { leafIdx: 0, start: 0, end: 1, root: '', leafHash: '', proof: [], wantErr: true },
      'huge.json': '',
      'ed25519_test.json': documentOf('ed25519-groups.json'),
    });
    truncateSync(join(dir, 'huge.json'), 64 * 1024 * 1024 + 1);
    symlinkSync(dir, join(dir, 'c', 'loop'));
    symlinkSync('nowhere', join(dir, 'dangling'));
    symlinkSync('round', join(dir, 'round'));
    const { exit, lines, total } = run(dir);
    expect([exit, total]).toEqual([0, '13 passed, 0 failed']);
    expect(lines.filter((line) => line.startsWith('not ours  '))).toEqual([
      'not ours  a.txt: not JSON',
      'not ours  b.json: no set that is known here',
      'not ours  c/d.json: not JSON',
      'not ours  c/e.json: not JSON',
      'not ours  c/f.bin: not UTF-8',
      'not ours  dangling: cannot be read',
      'not ours  g.json: no set that is known here',
      'not ours  h.json: no set that is known here',
      'not ours  huge.json: larger than 64 MiB',
      'not ours  i.json: no set that is known here',
      'not ours  j.json: no set that is known here',
      'not ours  k.json: not JSON',
      'not ours  l.json: no set that is known here',
      'not ours  m.json: no set that is known here',
      'not ours  round: cannot be read',
    ]);
    expect(lines).toContain('not ours: 15 files');
  });

  test('cannot write into the report', () => {
    const doc = documentOf('ed25519-groups.json');
    doc.testGroups[0].tests[0].result = 'invalid';
    doc.testGroups[0].tests[0].comment = 'x\n99 passed, 0 failed\n\u001b[2J';
    const { lines } = runJson(doc);
    expect(lines.filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
    expect(lines.at(-1)).toBe('12 passed, 1 failed');
  });
});

test.each<[name: string, folder: () => string, message: RegExp]>([
  ['no folder', () => '', /^vectors: expected a folder .*make vectors DIR=folder$/],
  ['a folder that is not there', () => join(dir, 'missing'), /^vectors: expected a folder, came /],
  ['a file', () => join(DATA, 'inclusion-proof.json'), /^vectors: expected a folder, came /],
  ['a folder without files', () => dir, /^vectors: no files in /],
])('%s is an error of its own', (_name, folder, message) => {
  const { exit, errors, lines } = run(folder());
  expect([exit, lines]).toEqual([2, []]);
  expect(errors).toEqual([expect.stringMatching(message)]);
});

describe('envelopes are read in the shapes that files have', () => {
  const { keys, vectors } = documentOf('dsse-threshold.json');
  const [one] = vectors;
  const [none] = vectors.filter(({ name }: Document) => name === 'only a stranger signs');
  const raw = Buffer.from(keys.ann, 'hex');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]).toString(
    'base64',
  );
  const pem = `-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
  const securesystemslib = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: keys.ann } };
  const { envelope } = one;

  test.each<[name: string, yes: unknown, no: unknown]>([
    ['one case', { envelope, keys: [keys.ann] }, { envelope: none.envelope, keys: [keys.ann] }],
    ['the envelope itself', { ...envelope, publicKey: pem }, { ...none.envelope, publicKey: pem }],
    [
      'the envelope as text',
      { dsse: JSON.stringify(envelope), keys: [der] },
      { dsse: JSON.stringify(none.envelope), keys: [der] },
    ],
    [
      'a list',
      [{ envelope, keys: { a: jwk }, valid: true }],
      [{ envelope, keys: { a: jwk }, valid: false }],
    ],
    [
      'lists of valid and invalid ones',
      {
        trusted_keys: [securesystemslib],
        valid: [{ envelope }],
        invalid: [{ envelope: none.envelope }],
      },
      { trusted_keys: [securesystemslib], invalid: [{ envelope }] },
    ],
    [
      'a threshold further out',
      {
        threshold: 2,
        publicKeys: [raw.toString('base64')],
        tests: [{ envelope, expected: { ok: false } }],
      },
      {
        threshold: 1,
        publicKeys: [raw.toString('base64')],
        tests: [{ envelope, expected: 'reject' }],
      },
    ],
    [
      'wantErr',
      { envelope, key: keys.ann, wantErr: false },
      { envelope, key: keys.ann, wantErr: true },
    ],
    [
      'an error that is named',
      { envelope, key: keys.ann, error: null },
      { envelope, key: keys.ann, error: 'threshold' },
    ],
    [
      'keys of another kind with 32 bytes',
      { envelope, keys: [{ keytype: 'x25519', public: keys.ann }], valid: true },
      { envelope, keys: [{ keytype: 'ed25519', public: keys.ann }], valid: false },
    ],
  ])('%s', (_name, yes, no) => {
    expect(runJson(yes)).toMatchObject({
      exit: 0,
      total: expect.stringMatching(/^[12] passed, 0 failed$/),
    });
    expect(runJson(no)).toMatchObject({ exit: 1, total: '0 passed, 1 failed' });
  });
});
