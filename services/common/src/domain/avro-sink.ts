import { newBytes } from './bytes.js';

/** Grows as needed; what is larger is let go of after use. */
const KEPT_BYTES_MAX = 1 << 20;
const FIRST_BYTES = 1 << 16;
/** Up to so many characters a loop is faster than a call into Node.js; their count fits one byte of a length. */
const SHORT_TEXT = 32;
/** Bytes that a character of UTF-16 takes in UTF-8, at most. */
const UTF8_MAX = 3;
const LONG_BYTES_MAX = 10;

/** Memory that Avro values are written into, one after the other; what was written is copied out of it. */
export class AvroSink {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  begin(): void {
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#at = 0;
  }

  /** @returns a copy of all that was written since `begin`, in memory of its own */
  taken(): Uint8Array {
    const copy = newBytes(this.#at);
    copy.set(this.#bytes.subarray(0, this.#at));
    return copy;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  /** Zig-zag, seven bits a byte; exact for every whole number up to 2^53. */
  long(value: number): void {
    this.#room(LONG_BYTES_MAX);
    const bytes = this.#bytes;
    const sign = value < 0 ? 1 : 0;
    const magnitude = sign === 1 ? -(value + 1) : value;
    let low = (magnitude % 64) * 2 + sign;
    for (let rest = Math.floor(magnitude / 64); rest > 0; rest = Math.floor(rest / 128)) {
      bytes[this.#at++] = low | 0x80;
      low = rest % 128;
    }
    bytes[this.#at++] = low;
  }

  /** Its length, then UTF-8. */
  text(value: string): void {
    const { length } = value;
    this.#room(LONG_BYTES_MAX + UTF8_MAX * length);
    if (length <= SHORT_TEXT && this.#ascii(value)) return;
    const from = this.#at;
    this.long(length);
    const head = this.#at - from;
    const written = this.#bytes.write(value, this.#at, 'utf8');
    if (written !== length) {
      // of several bytes a character, the length itself may be longer
      const longer = lengthOfLong(written) - head;
      const text = from + head;
      if (longer > 0) this.#bytes.copyWithin(text + longer, text, text + written);
      this.#at = from;
      this.long(written);
    }
    this.#at += written;
  }

  #ascii(value: string): boolean {
    const bytes = this.#bytes;
    const from = this.#at;
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[from + 1 + i] = code;
    }
    bytes[from] = value.length * 2;
    this.#at = from + 1 + value.length;
    return true;
  }

  raw(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  float(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  double(value: number): void {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

/** Of a whole number from 0. */
function lengthOfLong(value: number): number {
  let length = 1;
  for (let rest = Math.floor(value / 64); rest > 0; rest = Math.floor(rest / 128)) length += 1;
  return length;
}
