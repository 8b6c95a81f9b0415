import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { concatBytes, utf8 } from '../../domain/bytes.js';
import { crc64Avro } from '../../domain/crc64-avro.js';
import type { MemberId } from '../../domain/ids.js';
import type { Audience, SlotTable } from '../../domain/records.js';
import { openRecordCodec } from './record-codec.js';

const schemasDir = fileURLToPath(new URL('../../../../../schemas', import.meta.url));
const codec = openRecordCodec(schemasDir);

const audience: Audience = { byAgreement: false, members: ['fr', 'nl'] as MemberId[] };
const bytes = codec.encode('Audience', audience);
const PREFIX = bytes.subarray(0, 10);
const body = (...given: readonly number[]) => Uint8Array.of(...PREFIX, ...given);

test('a record comes back as it went in', () => {
  expect(codec.decode('Audience', bytes)).toEqual({ ok: true, value: audience });
});

/** Avro 1.12, "Transforming into Parsing Canonical Form", written down once more from the specification. */
function canonical(schema: unknown, space = ''): string {
  if (typeof schema === 'string') return JSON.stringify(schema);
  if (Array.isArray(schema)) return `[${schema.map((one) => typeText(one, space)).join(',')}]`;
  const def = schema as Record<string, unknown>;
  if (typeof def['type'] !== 'string') return canonical(def['type'], space);
  const inner = typeof def['namespace'] === 'string' ? def['namespace'] : space;
  const name = `"name":"${inner}.${String(def['name'])}"`;
  switch (def['type']) {
    case 'record': {
      const fields = (def['fields'] as Record<string, unknown>[]).map(
        (field) => `{"name":"${String(field['name'])}","type":${typeText(field['type'], inner)}}`,
      );
      return `{${name},"type":"record","fields":[${fields.join(',')}]}`;
    }
    case 'fixed':
      return `{${name},"type":"fixed","size":${String(def['size'])}}`;
    case 'enum':
      return `{${name},"type":"enum","symbols":${JSON.stringify(def['symbols'])}}`;
    case 'array':
      return `{"type":"array","items":${typeText(def['items'], inner)}}`;
    default:
      return JSON.stringify(def['type']);
  }
}

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];

/** A name of an earlier type is spelled in full. */
function typeText(type: unknown, space: string): string {
  const isName = typeof type === 'string' && !PRIMITIVES.includes(type) && !type.includes('.');
  return canonical(isName ? `${space}.${type}` : type, space);
}

test.each(['audience.v1', 'header.v1', 'feed-block.v1', 'certificate.v1', 'certificate.v2'])(
  'a %s begins with C3 01 and the fingerprint of its schema’s canonical form',
  (file) => {
    const schema: unknown = JSON.parse(readFileSync(join(schemasDir, `${file}.avsc`), 'utf8'));
    const fingerprint = crc64Avro(utf8(canonical(schema)));
    const name = file
      .replace(/\.v\d$/, '')
      .replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    // any ten bytes with the right beginning are refused for what follows, not for their schema
    const decoded = codec.decode(name as 'Header', Uint8Array.of(0xc3, 0x01, ...fingerprint, 0xff));
    expect(decoded).toMatchObject({ ok: false, error: { code: 'RECORD_MALFORMED' } });
  },
);

test.each<[name: string, bytes: Uint8Array, code: string]>([
  ['nothing', new Uint8Array(), 'RECORD_MALFORMED'],
  ['another mark', Uint8Array.of(0xc3, 0x02, ...bytes.subarray(2)), 'RECORD_MALFORMED'],
  ['another record', codec.encode('DerivedFrom', { parents: [] }), 'SCHEMA_UNKNOWN'],
  ['trailing bytes', Uint8Array.of(...bytes, 0), 'RECORD_MALFORMED'],
  ['a cut record', bytes.subarray(0, -1), 'RECORD_MALFORMED'],
  ['boolean 7', body(7, 0), 'RECORD_MALFORMED'],
  ['300 million items in 5 bytes', body(0, 0x80, 0x8c, 0x8d, 0x9e, 0x02), 'RECORD_MALFORMED'],
  ['one list in two blocks', body(0, 2, 4, 0x66, 0x72, 2, 4, 0x6e, 0x6c, 0), 'RECORD_MALFORMED'],
  ['text that is no UTF-8', body(0, 2, 4, 0xff, 0xff, 0), 'RECORD_MALFORMED'],
  ['more than a mebibyte', concatBytes(PREFIX, new Uint8Array(1 << 20)), 'RECORD_TOO_LARGE'],
])('%s is refused as %s', (_name, given, code) => {
  expect(codec.decode('Audience', given)).toMatchObject({ ok: false, error: { code } });
});

test('a refusal quotes nothing of what was read', () => {
  const named = utf8('Jane Doe');
  const decoded = codec.decode('Audience', body(9, ...named));
  expect(decoded.ok ? '' : decoded.error.message).not.toContain('Jane');
});

test('the bytes that are decoded may lie anywhere in a larger buffer', () => {
  const around = Buffer.concat([Buffer.alloc(7), bytes, Buffer.alloc(3)]);
  expect(codec.decode('Audience', around.subarray(7, 7 + bytes.length))).toEqual({
    ok: true,
    value: audience,
  });
});

describe('an id', () => {
  const table: SlotTable = {
    seed: new Uint8Array(32),
    kind: 'SEAL',
    recipient: '',
    orderId: null,
    leaves: [],
  };

  test('is 16 bytes on the wire and text in memory', () => {
    const id = '018bcfe5-6800-7000-8000-000000000001' as NonNullable<SlotTable['orderId']>;
    const decoded = codec.decode('SlotTable', codec.encode('SlotTable', { ...table, orderId: id }));
    expect(decoded).toMatchObject({ ok: true, value: { orderId: id } });
  });

  test.each(['018BCFE5-6800-7000-8000-000000000001', '018bcfe568007000800000000000001', ''])(
    'spelled %s is no id: encoding it is a mistake of ours',
    (text) => {
      const orderId = text as NonNullable<SlotTable['orderId']>;
      expect(() => codec.encode('SlotTable', { ...table, orderId })).toThrow();
    },
  );
});

describe('a record of an older version', () => {
  // both as version 1 spelled them: fields of a record follow each other, nothing stands between
  const text = (value: string) => Uint8Array.of(2 * value.length, ...utf8(value));
  const head = ['concordat-1', 'test', 'un', 'k'].map(text);
  const of = (prefix: string, ...parts: readonly Uint8Array[]) =>
    concatBytes(Buffer.from(prefix, 'hex'), ...parts);
  const id = '018bcfe5-6800-7000-8000-000000000001';
  const raw = Buffer.from(id.replaceAll('-', ''), 'hex');
  const receipt = (outcome: number) =>
    of(
      'c3018ea2296f87a3052e',
      ...head,
      text('de'),
      Uint8Array.of(2, 2, ...new Uint8Array(32), 0, ...raw, 4, ...new Uint8Array(32)),
      Uint8Array.of(0, 2, ...raw, outcome, 0),
    );

  test('is read, with what it could not say yet left empty', () => {
    const order = of(
      'c301f27edf6171ef03f7',
      ...head,
      Uint8Array.of(...raw, 2, 4, 12, 2, ...raw, 0, 2, ...raw),
    );
    expect(codec.decode('PurgeOrder', order)).toMatchObject({
      ok: true,
      value: {
        ...{ origin: 'un', orderId: id, issuedAtMs: 1, deadlineMs: 2, reason: 'retention' },
        ...{ ids: [id], supersededBy: id, recipients: [], sections: [], cause: null },
      },
    });
    expect(codec.decode('Receipt', receipt(2))).toMatchObject({
      ok: true,
      value: {
        entryNumber: 2,
        stage: 'DELETED',
        outcomes: [{ id, outcome: 'NOT_HELD' }],
        holds: [],
      },
    });
  });

  test('of a feed says that its keys are held', () => {
    const number = Uint8Array.of(2);
    const place = [Uint8Array.of(0, 2), number, new Uint8Array(32)];
    const list = (name: string) => [Uint8Array.of(2), text(name), Uint8Array.of(0)];
    const release = [
      ...[raw, new Uint8Array(32), ...place, Uint8Array.of(0), text('a1'), number, text('c1')],
      ...[...list('identity'), ...list('screening'), number, Uint8Array.of(0)],
    ];
    const releases = [Uint8Array.of(2), ...release, Uint8Array.of(0)];
    const statement = of(
      'c30167db4230eb95b25c',
      ...[...head, text('de'), ...place, Uint8Array.of(0), ...releases],
    );
    expect(codec.decode('FeedStatement', statement)).toMatchObject({
      ok: true,
      value: { recipient: 'de', releases: [{ id, sections: ['identity'], custody: 'held' }] },
    });
  });

  test('is judged by the schema that it names, not by the newer one', () => {
    // 4 is HELD in version 2
    const refused = { ok: false, error: { code: 'RECORD_MALFORMED' } };
    expect(codec.decode('Receipt', receipt(4))).toMatchObject(refused);
    expect(codec.decode('Receipt', concatBytes(receipt(2), Uint8Array.of(0)))).toMatchObject(
      refused,
    );
  });
});

test('a directory without the schemas is refused by name', () => {
  expect(() => openRecordCodec(join(schemasDir, 'nowhere'))).toThrow(
    expect.objectContaining({ code: 'SCHEMA_INVALID' }),
  );
});
