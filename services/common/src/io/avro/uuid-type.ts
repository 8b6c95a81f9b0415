import avro from 'avsc';
import { uuidText } from '../../domain/ids.js';

const TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Avro 1.12 logical type `uuid` on fixed(16): lower-case text form in memory. */
export class UuidType extends avro.types.LogicalType {
  protected override _fromValue(value: Buffer): string {
    return uuidText(value);
  }

  protected override _toValue(value: unknown): Buffer | undefined {
    if (typeof value !== 'string' || !TEXT.test(value)) return undefined;
    return Buffer.from(value.replaceAll('-', ''), 'hex');
  }

  /** What the type of an older version read is text already. */
  protected override _resolve(writer: avro.Type): unknown {
    return writer instanceof UuidType ? (text: string) => text : undefined;
  }
}
