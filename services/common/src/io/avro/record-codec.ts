import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import avro from 'avsc';
import { type AvroReader, avroReader } from '../../domain/avro-reader.js';
import { type AvroSchema, avroShape } from '../../domain/avro-shape.js';
import { type AvroLimits, RECORD_LIMITS } from '../../domain/avro-walk.js';
import { type AvroWriter, avroWriter } from '../../domain/avro-writer.js';
import { equalBytes, utf8 } from '../../domain/bytes.js';
import { crc64Avro } from '../../domain/crc64-avro.js';
import { ConcordatError } from '../../domain/errors.js';
import type { RecordCodec, RecordName, RecordTypes } from '../../domain/records.js';
import { type Result, err, ok } from '../../domain/result.js';
import { octetsHook } from './buffers.js';
import { UuidType } from './uuid-type.js';

const RECORD_NAMES = [
  'Signed',
  'Header',
  'Audience',
  'DerivedFrom',
  'BlockStatement',
  'Block',
  'FeedStatement',
  'FeedBlock',
  'LedgerStatement',
  'PublicationTable',
  'SlotTable',
  'SealTable',
  'Slot',
  'LedgerRecord',
  'OpenedSlot',
  'PurgeOrder',
  'SealRecord',
  'SealEvidence',
  'PurgeEntry',
  'Receipt',
  'FreshnessAnswer',
  'DefaultNotice',
  'Certificate',
  'PurgeApproval',
  'MediaErased',
  'DerivationGrant',
  'MembershipChange',
  'Void',
  'QuarantinedRecord',
] as const satisfies readonly RecordName[];

/** The version that is written, where it is not the first. All before it are still read. */
const VERSIONS: Partial<Record<RecordName, number>> = {
  FeedStatement: 2,
  PurgeOrder: 2,
  SealRecord: 2,
  PurgeEntry: 2,
  Receipt: 2,
  Certificate: 2,
  DerivationGrant: 2,
};

const MARK = Uint8Array.of(0xc3, 0x01);
const PREFIX_BYTES = 10;

/** Records that never travel on a topic, and the wrapper that also holds them: a certificate lists every holder. */
const LARGE_LIMITS: AvroLimits = { bytesMax: 16 * 1024 * 1024, itemsMax: 1_000_000, depthMax: 32 };
const LARGE: ReadonlySet<RecordName> = new Set(['Signed', 'Certificate', 'SealEvidence']);

interface Version {
  readonly type: avro.Type;
  readonly write: AvroWriter;
  readonly read: AvroReader;
  readonly prefix: Uint8Array;
}

interface Entry extends Version {
  /** older versions, the newest first; each reads its own bytes and answers a value of the version that is written */
  readonly older: readonly Version[];
}

/** The file of version 1 of record `BlockStatement` is `block-statement.v1.avsc`. */
function schemaFile(name: RecordName, version = VERSIONS[name] ?? 1): string {
  return `${name.replaceAll(/(?!^)([A-Z])/g, '-$1').toLowerCase()}.v${String(version)}.avsc`;
}

/**
 * Loads the record schemas of this repository.
 *
 * @throws ConcordatError SCHEMA_INVALID when a file is missing or not a schema
 */
export function openRecordCodec(schemasDir: string): RecordCodec {
  const entries = new Map<RecordName, Entry>();
  for (const name of RECORD_NAMES) entries.set(name, loadVersions(schemasDir, name));
  const entryOf = (name: RecordName): Entry => {
    const entry = entries.get(name);
    if (!entry) throw new TypeError(`no schema for ${name}`);
    return entry;
  };
  return {
    encode(name, value) {
      return entryOf(name).write(value);
    },
    decode<Name extends RecordName>(name: Name, bytes: Uint8Array) {
      return decode(name, entryOf(name), bytes);
    },
  };
}

function loadVersions(schemasDir: string, name: RecordName): Entry {
  const current = load(join(schemasDir, schemaFile(name)));
  const numbers = Array.from({ length: (VERSIONS[name] ?? 1) - 1 }, (_, at) => at + 1).reverse();
  const older = numbers.map((version) => {
    const writer = load(join(schemasDir, schemaFile(name, version)));
    return { ...writer, read: upgradingReader(writer, current.type) };
  });
  return { ...current, older };
}

/** Judges bytes by the schema that wrote them, and answers what they say in the newer one: its defaults filled in. */
function upgradingReader({ type: writer, read }: Version, reader: avro.Type): AvroReader {
  const resolver = reader.createResolver(writer);
  return (bytes, limits, from = 0) => {
    const value = read(bytes, limits, from);
    if (!value.ok) return value;
    const body = Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.length - from);
    return ok(reader.fromBuffer(body, resolver) as unknown);
  };
}

function load(file: string): Version {
  try {
    const schema = JSON.parse(readFileSync(file, 'utf8')) as avro.Schema & AvroSchema;
    const type = avro.Type.forSchema(schema, {
      logicalTypes: { uuid: UuidType },
      typeHook: octetsHook(),
    });
    // avsc prints the parsing canonical form when attributes are not exported
    const prefix = Uint8Array.of(...MARK, ...crc64Avro(utf8(canonicalForm(type))));
    const shape = avroShape(schema);
    return { type, write: avroWriter(shape, { prefix }), read: avroReader(shape), prefix };
  } catch (cause) {
    throw new ConcordatError('SCHEMA_INVALID', `expected an Avro schema in ${file}`, { cause });
  }
}

function canonicalForm(type: avro.Type): string {
  return JSON.stringify(type.schema());
}

function decode<Name extends RecordName>(
  name: Name,
  entry: Entry,
  bytes: Uint8Array,
): Result<RecordTypes[Name], ConcordatError> {
  const limits = LARGE.has(name) ? LARGE_LIMITS : RECORD_LIMITS;
  if (bytes.length > limits.bytesMax) {
    const limit = String(limits.bytesMax);
    return refuse('RECORD_TOO_LARGE', `${name}: expected at most ${limit} bytes`);
  }
  const marked = bytes.length >= PREFIX_BYTES && equalBytes(bytes.subarray(0, 2), MARK);
  if (!marked) return refuse('RECORD_MALFORMED', `${name}: not Avro single-object encoded`);
  const given = bytes.subarray(0, PREFIX_BYTES);
  const version = equalBytes(given, entry.prefix)
    ? entry
    : entry.older.find(({ prefix }) => equalBytes(given, prefix));
  if (!version) {
    return refuse('SCHEMA_UNKNOWN', `${name}: expected the fingerprint of ${schemaFile(name)}`);
  }
  const value = version.read(bytes, limits, PREFIX_BYTES);
  if (!value.ok) return refuse('RECORD_MALFORMED', `${name}: ${value.error}`);
  return ok(value.value as RecordTypes[Name]);
}

function refuse(code: ConcordatError['code'], message: string): Result<never, ConcordatError> {
  return err(new ConcordatError(code, message));
}
