import { expect, test } from '@jest/globals';
import { crc64Avro } from './crc64-avro.js';
import { utf8 } from './bytes.js';

/** Little-endian, as it stands in a record; the numbers are those of Apache Avro's own test data. */
test.each<[schema: string, fingerprint: bigint]>([
  ['"null"', 7195948357588979594n],
  ['"int"', 8247732601305521295n],
  ['"string"', -8142146995180207161n],
  ['{"name":"foo","type":"enum","symbols":["A1"]}', -6342190197741309591n],
])('the fingerprint of %s is Apache Avro’s', (schema, fingerprint) => {
  const expected = Buffer.alloc(8);
  expected.writeBigInt64LE(fingerprint);
  expect(Buffer.from(crc64Avro(utf8(schema)))).toEqual(expected);
});
