import { avroReader } from './avro-reader.js';
import { type AvroSchema, avroShape } from './avro-shape.js';
import type { AvroLimits } from './avro-walk.js';

export type AvroGuard = (bytes: Uint8Array, limits: AvroLimits) => string | undefined;

/**
 * Walks Avro bytes against their schema before another decoder sees them, as `avroReader` does.
 *
 * @returns a function that answers undefined for bytes that a decoder may see, else what is wrong and where
 * @throws TypeError for a schema with an unknown type: schemas come from this repository only
 */
export function avroGuard(schema: AvroSchema): AvroGuard {
  const read = avroReader(avroShape(schema));
  return (bytes, limits) => {
    const came = read(bytes, limits);
    return came.ok ? undefined : came.error;
  };
}
