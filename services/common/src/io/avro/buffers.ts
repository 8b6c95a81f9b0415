import avro from 'avsc';

type SchemaOptions = Parameters<typeof avro.Type.forSchema>[1];

/** avsc writes `bytes` and `fixed` from a Buffer only; our own code speaks Uint8Array. Views, not copies. */
class OctetsType extends avro.types.LogicalType {
  protected override _fromValue(value: Buffer): Buffer {
    return value;
  }

  protected override _toValue(value: unknown): Buffer | undefined {
    if (Buffer.isBuffer(value)) return value;
    if (!(value instanceof Uint8Array)) return undefined;
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }

  /** Octets stay octets between versions of a schema. */
  protected override _resolve(writer: avro.Type): unknown {
    return writer instanceof OctetsType ? (octets: Buffer) => octets : undefined;
  }
}

/** A type hook for avsc: every `bytes` and every plain `fixed` takes a Uint8Array. */
export function octetsHook(): NonNullable<NonNullable<SchemaOptions>['typeHook']> {
  let inside = false;
  return (schema, options) => {
    if (inside || !isOctets(schema)) return undefined;
    inside = true;
    try {
      return new OctetsType(schema === 'bytes' ? { type: 'bytes' } : schema, options);
    } finally {
      inside = false;
    }
  };
}

function isOctets(schema: unknown): boolean {
  if (schema === 'bytes') return true;
  if (typeof schema !== 'object' || schema === null) return false;
  const { type, logicalType } = schema as {
    readonly type?: unknown;
    readonly logicalType?: unknown;
  };
  return logicalType === undefined && (type === 'fixed' || type === 'bytes');
}
