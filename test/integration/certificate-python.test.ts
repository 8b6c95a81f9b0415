import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { verifyCertificate } from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { KeyRing, parseTrust, trustJson } from '@concordat/common/domain/federation.js';
import type { KeyDirectory } from '@concordat/common/domain/statement.js';
import { afterAll, expect, test } from '@jest/globals';
import { FORGED } from '../support/certificates/forged.js';
import { TRUE_CERTIFICATES, federation, fileOf } from '../support/certificates/told.js';
import { codec, schemasDir } from '../support/federation.js';
import '../support/long-timeout.js';
import { exitOfPython } from '../support/python.js';

const dir = mkdtempSync(join(tmpdir(), 'concordat-certificates-'));
afterAll(() => rmSync(dir, { recursive: true }));
function put(name: string, text: string): string {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

const PROGRAM = 'verify_certificate.py';
const TRUST = put('trust.json', JSON.stringify(trustJson(federation.federation)));

/** In the words of the other program: which rule does not hold, or what is missing. */
function ours(text: string, keys: KeyDirectory = federation.keys): string {
  const signed = verifyDsse(codec, keys, 'Certificate', text);
  if (!signed.ok) return 'invalid: file';
  const purge = verifyCertificate(codec, keys, signed.value.value);
  if (!purge.ok) return `invalid: ${purge.error.message.split(':')[0] ?? ''}`;
  const open = purge.value.missing.map(
    ({ recipient, entry, why }) => `${recipient} ${entry} ${why}`,
  );
  return open.length === 0 ? 'complete' : `incomplete: ${open.join(', ')}`;
}

async function theirs(trust: string, files: readonly string[]) {
  const { stdout, exit } = await exitOfPython(PROGRAM, [schemasDir, trust, ...files]);
  return { verdicts: stdout.trimEnd().split('\n'), exit };
}

const CASES = [...TRUE_CERTIFICATES, ...FORGED].map(
  ([what, made], at) => [what, fileOf(made()), `${at}.json`] as const,
);

test('a program that is not ours, written from docs/certificate.md, gives the same answers', async () => {
  const files = CASES.map(([, text, name]) => put(name, text));
  const { verdicts, exit } = await theirs(TRUST, files);
  expect(exit).toBe(5);
  const told = CASES.map(([what], at) => `${what}: ${verdicts[at] ?? 'nothing'}`);
  expect(told).toEqual(CASES.map(([what, text]) => `${what}: ${ours(text)}`));
});

test('it tells a certificate that is complete, one that is not, and one of the first version', async () => {
  const old = fileURLToPath(new URL('../data/certificate-v1/', import.meta.url));
  const trust = parseTrust(JSON.parse(readFileSync(`${old}trust.json`, 'utf8')));
  if (!trust.ok) throw trust.error;
  expect(ours(readFileSync(`${old}certificate.json`, 'utf8'), new KeyRing(trust.value))).toBe(
    'complete',
  );
  const verdict = { verdicts: ['complete'], exit: 0 };
  expect(await theirs(`${old}trust.json`, [`${old}certificate.json`])).toEqual(verdict);
  const silent = CASES.find(([what]) => what === 'with a default notice')?.[1] ?? '';
  expect(await theirs(TRUST, [put('silent.json', silent)])).toEqual({
    ...{ verdicts: ['incomplete: de 1 silent'], exit: 8 },
  });
});

test('it is shorter than 400 lines', () => {
  const program = readFileSync(new URL(`../python/${PROGRAM}`, import.meta.url), 'utf8');
  expect(program.split('\n').length - 1).toBeLessThan(400);
});
