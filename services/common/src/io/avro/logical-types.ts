import avro from 'avsc';
import { LOGICAL_TYPE_NAMES, type LogicalRule, logicalRule } from '../../domain/logical-types.js';

/** avsc's face of one of our logical types: in memory a value is what it is in the event's JSON. */
class RuledType extends avro.types.LogicalType {
  readonly rule: LogicalRule;

  constructor(schema: avro.Schema, opts?: unknown) {
    super(schema, opts);
    const rule = logicalRule((schema as { readonly logicalType?: unknown }).logicalType);
    if (!rule) throw new TypeError('not one of our logical types');
    this.rule = rule;
  }

  protected override _fromValue(value: unknown): unknown {
    const json = this.rule.decode(value);
    if (json === undefined) throw new RangeError('outside of the logical type');
    return json;
  }

  protected override _toValue(json: unknown): unknown {
    return this.rule.encode(json);
  }

  /** Between versions of a schema a logical type stays what it is: what the writer's type read is JSON already. */
  protected override _resolve(writer: avro.Type): unknown {
    return writer.typeName === this.typeName ? (json: unknown) => json : undefined;
  }
}

/** @returns the rule behind a type that avsc made; undefined for any other type */
export function ruleBehind(type: avro.Type): LogicalRule | undefined {
  return type instanceof RuledType ? type.rule : undefined;
}

/** For `avro.Type.forSchema`. */
export const LOGICAL_TYPES = Object.fromEntries(
  LOGICAL_TYPE_NAMES.map((name) => [name, RuledType]),
);
