import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseCategorySchema, sectionsOf } from '@concordat/common/domain/category-schema.js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const schemas = fileURLToPath(new URL('../../schemas', import.meta.url));
const script = fileURLToPath(new URL('../../infra/lint/check-schemas.js', import.meta.url));

test('the sections of a listing are the six of the README', () => {
  const parsed = parseCategorySchema(readJson(join(schemas, 'listing.v1.avsc')));
  expect(parsed).toMatchObject({ ok: true });
  expect(parsed.ok && sectionsOf(parsed.value)).toEqual([
    'identity',
    'aliases',
    'documents',
    'addresses',
    'remarks',
    'listing',
  ]);
});

describe('make check', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'concordat-schemas-'));
    cpSync(schemas, dir, { recursive: true });
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const check = (...options: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, dir, ...options], {
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const edit = (name: string, change: (text: string) => string) =>
    writeFileSync(join(dir, name), change(readFileSync(join(dir, name), 'utf8')));

  test('accepts the schemas of this repository and those that it then releases', () => {
    expect(check('--release')).toMatchObject({ status: 0, stderr: '' });
    expect(check()).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('names a schema that is not released yet, and lets it pass', () => {
    edit('released.json', () => '{}');
    expect(check()).toMatchObject({ status: 0, stdout: expect.stringContaining('header.v1.avsc') });
  });

  test('refuses a released schema with one byte more, one less, or gone', () => {
    check('--release');
    edit('header.v1.avsc', (text) => `${text}\n`);
    rmSync(join(dir, 'block.v1.avsc'));
    const { status, stderr } = check();
    expect(status).toBe(1);
    expect(stderr).toContain(
      'schemas/header.v1.avsc: was edited after its release; restore it and add header.v2.avsc',
    );
    expect(stderr).toContain('schemas/block.v1.avsc: was released and is gone; restore it');
  });

  test('a release never changes what is released', () => {
    check('--release');
    const before = readFileSync(join(dir, 'released.json'), 'utf8');
    edit('header.v1.avsc', (text) => `${text}\n`);
    expect(check('--release').status).toBe(1);
    expect(readFileSync(join(dir, 'released.json'), 'utf8')).toBe(before);
  });

  test.each<[name: string, file: string, text: string, finding: string]>([
    ['a file without a version', 'Sighting.avsc', '{}', 'expected a name like'],
    ['a file in capitals', 'Sighting.v1.avsc', '{}', 'expected a name like'],
    ['text that is not JSON', 'sighting.v1.avsc', '{', 'not JSON'],
    ['several types', 'sighting.v1.avsc', '[]', 'expected a JSON object'],
    [
      'a type of another name',
      'sighting.v1.avsc',
      '{"type":"record","name":"Sight","fields":[]}',
      'holds Sight, expected a type named Sighting',
    ],
    [
      'a type not UpperCamel',
      'sighting.v1.avsc',
      '{"type":"record","name":"Sighting","fields":[{"name":"a","type":{"type":"fixed","name":"id16","size":16}}]}',
      'Sighting.a: type name id16 is not UpperCamel',
    ],
  ])('refuses %s', (_name, file, text, finding) => {
    writeFileSync(join(dir, file), text);
    const { status, stderr } = check();
    expect(status).toBe(1);
    expect(stderr).toContain(finding);
  });

  test('refuses a category schema that misses one annotation', () => {
    edit('released.json', () => '{}');
    edit('listing.v1.avsc', (text) => text.replace('"section": "aliases", ', ''));
    expect(check()).toMatchObject({
      status: 1,
      stderr: 'schemas/listing.v1.avsc: Listing.aliases.quality: no section\n',
    });
  });
});

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
