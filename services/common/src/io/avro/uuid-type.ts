import avro from 'avsc';

const TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Avro 1.12 logical type `uuid` on fixed(16): lower-case text form in memory. */
export class UuidType extends avro.types.LogicalType {
  protected override _fromValue(value: Buffer): string {
    const hex = value.toString('hex');
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
    return [...parts, hex.slice(20)].join('-');
  }

  protected override _toValue(value: unknown): Buffer | undefined {
    if (typeof value !== 'string' || !TEXT.test(value)) return undefined;
    return Buffer.from(value.replaceAll('-', ''), 'hex');
  }

  protected override _resolve(): undefined {
    return undefined;
  }
}
