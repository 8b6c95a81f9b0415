/** Remembers the newest entries, and forgets the oldest beyond a number of them. */
export class BoundedMap<Key, Value> {
  readonly #max: number;
  readonly #entries = new Map<Key, Value>();
  /**
   * Where the oldest stands, while one goes for each that comes: a new iterator would step over all that went before. One that
   * is not moved on would keep every table that the map has outgrown.
   */
  #byAge: Iterator<Key> | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  /** Makes this entry the newest. */
  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#max) {
      this.#byAge = undefined;
      return;
    }
    this.#byAge ??= this.#entries.keys();
    const oldest = this.#byAge.next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }
}
