/** A record of small whole numbers, each below its size, as one number and back. */
export interface Packing<Fields> {
  readonly pack: (fields: Fields) => number;
  readonly unpack: (packed: number) => Fields;
  /** how many numbers there are: every packed one is below it */
  readonly size: number;
}

/** @param sizes of each field: how many values it may have */
export function packingOf<Name extends string>(
  sizes: Readonly<Record<Name, number>>,
): Packing<Readonly<Record<Name, number>>> {
  const fields = Object.entries<number>(sizes) as [Name, number][];
  const size = fields.reduce((product, [, one]) => product * one, 1);
  if (size > Number.MAX_SAFE_INTEGER) throw new RangeError(`${size} states fit into no number`);
  return {
    size,
    pack(values) {
      let packed = 0;
      for (const [name, one] of fields) {
        const value = values[name];
        if (value < 0 || value >= one) throw new RangeError(`${name}: ${value}, below ${one}`);
        packed = packed * one + value;
      }
      return packed;
    },
    unpack(packed) {
      const values = {} as Record<Name, number>;
      let rest = packed;
      for (let at = fields.length - 1; at >= 0; at -= 1) {
        const [name, one] = fields[at] as [Name, number];
        values[name] = rest % one;
        rest = Math.floor(rest / one);
      }
      return values;
    },
  };
}
