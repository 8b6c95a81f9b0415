import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Federation, trustJson } from '@concordat/common/domain/federation.js';
import { schemasDir } from './federation.js';
import { runPython } from './python.js';

/** What test/python/wire_check.py says of a record. */
export interface WireRecord {
  /** why it was refused; absent if it holds */
  readonly refused?: string;
  readonly number?: number;
  readonly ids?: readonly string[];
  /** of a ledger record */
  readonly kind?: string;
  readonly recipient?: string;
  /** of a receipt: whether it answers an entry that is there too */
  readonly answers?: boolean;
  readonly stage?: string;
}

export interface WireReport {
  /** by `<topic>/<lane>-<place>` */
  readonly records: Readonly<Record<string, WireRecord>>;
  /** by event id: the fields of the sections whose keys were given */
  readonly opened: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A directory of records as they travelled, for a program that is not ours. */
export class Capture {
  readonly dir: string;
  readonly #topics: string;
  readonly #trust: string;

  constructor(dir: string, federation: Federation) {
    this.dir = dir;
    this.#topics = join(dir, 'topics');
    this.#trust = join(dir, 'trust.json');
    mkdirSync(this.#topics, { recursive: true });
    writeFileSync(this.#trust, JSON.stringify(trustJson(federation)));
  }

  /** @returns the record's name in the report */
  put(topic: string, lane: number, place: number, value: Uint8Array): string {
    mkdirSync(join(this.#topics, topic), { recursive: true });
    const name = `${topic}/${String(lane)}-${String(place).padStart(6, '0')}`;
    writeFileSync(join(this.#topics, `${name}.bin`), value);
    return name;
  }

  /** @param keys section keys by `<origin>/<id>/<section>`; they reach the program by a pipe only */
  async check(
    options: { readonly chains: boolean },
    keys: ReadonlyMap<string, Uint8Array> = new Map(),
  ): Promise<WireReport> {
    const flags = options.chains ? ['--chains'] : [];
    const args = ['records', '--schemas', schemasDir, '--trust', this.#trust, ...flags];
    const texts = [...keys].map(([name, key]) => [name, Buffer.from(key).toString('base64url')]);
    const out = await runPython(
      'wire_check.py',
      [...args, this.#topics],
      JSON.stringify(Object.fromEntries(texts)),
    );
    return JSON.parse(out) as WireReport;
  }
}
