import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { crc64Avro } from '@concordat/common/domain/crc64-avro.js';
import { type Hash, type MemberId, eventIdOf } from '@concordat/common/domain/ids.js';
import { keyIdOf } from '@concordat/common/domain/keys.js';
import { leafHash, merkleRoot, partialProof } from '@concordat/common/domain/merkle.js';
import type { RecordName } from '@concordat/common/domain/records.js';
import {
  type SectionPlace,
  commit,
  keyCommitment,
  sealSection,
  slotSalt,
} from '@concordat/common/domain/sealing.js';
import {
  type StatementName,
  payloadType,
  statementHash,
} from '@concordat/common/domain/statement.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { expect, test } from '@jest/globals';

const page = readFileSync(new URL('../../docs/wire-format.md', import.meta.url), 'utf8');
const codec = openRecordCodec(fileURLToPath(new URL('../../schemas', import.meta.url)));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at);

const prefixes = [...page.matchAll(/^\| `(\w+)`(?: \(?v\d\)?)? +\| `(c301[0-9a-f]{16})` \|$/gm)];

test('docs/wire-format.md gives the first bytes of every version of every record', () => {
  expect(prefixes).toHaveLength(36);
});

test.each(prefixes.map(([, name = '', prefix = '']) => [name, prefix]))(
  'docs/wire-format.md: %s begins with %s',
  (name, prefix) => {
    // a record that is cut off after the right fingerprint is malformed, one with another fingerprint unknown
    const code = (bytes: string): string => {
      const decoded = codec.decode(name as RecordName, Buffer.from(bytes, 'hex'));
      return decoded.ok ? 'ok' : decoded.error.code;
    };
    expect(code(prefix)).toBe('RECORD_MALFORMED');
    expect(code(prefix.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).toBe('SCHEMA_UNKNOWN');
  },
);

const statements = [...page.matchAll(/^\| `(\w+)` +\| `(application\/[^`]+)`/gm)];

test('docs/wire-format.md gives the payload type of every statement', () => {
  const given = statements.map(([, name, type]) => [name, type]);
  expect(given).toHaveLength(15);
  expect(given).toEqual(given.map(([name]) => [name, payloadType(name as StatementName)]));
});

test('docs/wire-format.md: its check values are what the code computes', () => {
  const id = eventIdOf(Buffer.from('01890a5dac96774bbcceb302099a8057', 'hex'));
  if (!id.ok) throw new TypeError('expected a UUIDv7');
  const key = counting(32);
  const place: SectionPlace = {
    origin: 'un' as MemberId,
    id: id.value,
    section: 'identity',
    schemaHash: new Uint8Array(32).fill(0xaa) as Hash,
  };
  const sealed = sealSection(utf8('abc'), place, { key, nonce: counting(12) });
  if (!sealed) throw new TypeError('expected a sealed section');
  const leaves = ['a', 'b', 'c', 'd', 'e'].map((text) => leafHash(utf8(text)));
  const opening = { salt: counting(32) as Hash, value: utf8('value') };
  const receipt = { payloadType: payloadType('Receipt'), payload: Uint8Array.of(0xc3, 0x01) };
  const given =
    page.split('## 9. Check values')[1]?.matchAll(/^\| .+? +\| `([\w-]+)` +\|$/gm) ?? [];
  expect([...given].map(([, value]) => value)).toEqual([
    hex(crc64Avro(utf8('"null"'))),
    keyIdOf(counting(32)),
    hex(statementHash(receipt)),
    hex(sha256(sealed)),
    hex(sealed.subarray(-16)),
    hex(keyCommitment(place, key)),
    hex(commit('audience', opening)),
    hex(slotSalt(counting(32), 5)),
    ...leaves.slice(0, 1).map(hex),
    hex(merkleRoot(leaves)),
    ...partialProof(leaves, new Set([1])).map(hex),
  ]);
});
