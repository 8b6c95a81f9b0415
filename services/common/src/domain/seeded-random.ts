import { createHash } from 'node:crypto';
import { lengthPrefixed, uint32, utf8 } from './bytes.js';
import type { Random } from './ports.js';

/**
 * The same bytes for the same seed, everywhere and for ever: SHA-256 over the seed's words and a counter. For tests,
 * measurements and simulation; never for keys.
 */
export function seededRandom(...seed: readonly string[]): Random {
  const start = createHash('sha256').update(lengthPrefixed(...seed.map(utf8)));
  let pool: Uint8Array = new Uint8Array();
  let counter = 0;
  const more = (): Uint8Array => {
    counter += 1;
    return start.copy().update(uint32(counter)).digest();
  };
  return {
    bytes(length) {
      const out = new Uint8Array(length);
      for (let at = 0; at < length;) {
        if (pool.length === 0) pool = more();
        const part = pool.subarray(0, length - at);
        out.set(part, at);
        at += part.length;
        pool = pool.subarray(part.length);
      }
      return out;
    },
  };
}
