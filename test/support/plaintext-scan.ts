import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnEntry, XmlElement } from '@concordat/cli/domain/un-list/entry.js';
import { readSnapshots } from '@concordat/cli/io/un-list-folder.js';

/** Bytes that must stand in no file. */
export interface Needle {
  /** says which it is when it is found */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Hit {
  readonly file: string;
  readonly needle: string;
}

const CHUNK_BYTES = 256 * 1024;
const PREFIX_BYTES = 4;
const FILTER_BITS = 20;

/**
 * What must not stand in plain anywhere: an individual's first and second name, a document's number, and how a comment
 * begins, for names need not stand side by side in a leak. Taken from the XML itself, not from what we make of it.
 */
export async function personalTexts(listsDir: string): Promise<string[]> {
  const texts: string[] = [];
  for (const { kind, element } of await entriesOf(listsDir)) {
    const names = ['FIRST_NAME', 'SECOND_NAME'].map((name) => textsAt(element, [name])[0]);
    const name = names.join(' ');
    if (kind === 'individual' && !names.includes(undefined) && name.length >= 12) texts.push(name);
    const comments = textsAt(element, ['COMMENTS1']).filter((comment) => comment.length >= 24);
    texts.push(...comments.map((comment) => comment.slice(0, 40)));
  }
  return [...new Set([...texts, ...(await documentNumbers(listsDir))])];
}

/** The numbers of individuals' documents that have 6 characters or more and a digit. */
export async function documentNumbers(listsDir: string): Promise<string[]> {
  const entries = await entriesOf(listsDir);
  return entries
    .flatMap(({ element }) => textsAt(element, ['INDIVIDUAL_DOCUMENT', 'NUMBER']))
    .filter((number) => number.length >= 6 && /\d/.test(number));
}

async function entriesOf(listsDir: string): Promise<UnEntry[]> {
  return (await readSnapshots(listsDir)).flatMap(({ snapshot }) => snapshot.entries);
}

function textsAt(element: XmlElement, [name, ...below]: readonly string[]): string[] {
  const found = element.children.filter((child) => child.name === name);
  if (below.length > 0) return found.flatMap((child) => textsAt(child, below));
  return found.map(({ text }) => text.trim()).filter((text) => text !== '');
}

/** A text as UTF-8, UTF-16LE, hex in both cases, and base64 in both alphabets wherever it begins within three bytes. */
export function encodingsOf(text: string): Needle[] {
  const utf8 = Buffer.from(text, 'utf8');
  return distinct(text, [utf8, Buffer.from(text, 'utf16le'), ...spellings(utf8)]);
}

/** A key as it is, and as text: hex in both cases, base64 in both alphabets wherever it begins within three bytes. */
export function encodingsOfKey(name: string, key: Uint8Array): Needle[] {
  const raw = Buffer.from(key);
  return distinct(name, [raw, ...spellings(raw)]);
}

function spellings(bytes: Buffer): Buffer[] {
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((shift) => base64At(bytes, shift));
  const spelled = [hex, hex.toUpperCase(), ...base64, ...base64.map(urlAlphabet)];
  return spelled.map((one) => Buffer.from(one));
}

function distinct(name: string, all: readonly Buffer[]): Needle[] {
  const found = new Map(all.map((bytes) => [bytes.toString('latin1'), bytes]));
  return [...found.values()].map((bytes) => ({ name, bytes }));
}

/** The characters that are the same whatever stands before and after: those of whole 6-bit groups. */
function base64At(bytes: Buffer, shift: number): string {
  const padded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  const from = Math.ceil((shift * 8) / 6);
  const to = Math.floor(((shift + bytes.length) * 8) / 6);
  return padded.slice(from, to);
}

function urlAlphabet(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}

/** Looks for many needles in one pass: a table of their first bytes tells where a closer look is due. */
export class Scanner {
  readonly #chunkBytes: number;
  readonly #byPrefix = new Map<number, Needle[]>();
  readonly #filter = new Uint8Array(1 << FILTER_BITS);
  readonly #longest: number;

  constructor(needles: readonly Needle[], chunkBytes = CHUNK_BYTES) {
    this.#chunkBytes = chunkBytes;
    this.#longest = needles.reduce((max, { bytes }) => Math.max(max, bytes.length), PREFIX_BYTES);
    for (const needle of needles) {
      if (needle.bytes.length < PREFIX_BYTES) throw new TypeError(`${needle.name} is too short`);
      const prefix = Buffer.from(needle.bytes).readInt32BE();
      const alike = this.#byPrefix.get(prefix);
      if (alike) alike.push(needle);
      else this.#byPrefix.set(prefix, [needle]);
      this.#filter[slotOf(prefix)] = 1;
    }
  }

  /** Every file below the directory; one that goes away meanwhile is passed over. */
  async scan(dir: string): Promise<Hit[]> {
    const hits: Hit[] = [];
    const entries = await unlessGone(readdir(dir, { withFileTypes: true }));
    for (const entry of entries ?? []) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) hits.push(...(await this.scan(path)));
      else if (entry.isFile()) hits.push(...(await this.#scanFile(path)));
    }
    return hits;
  }

  async #scanFile(path: string): Promise<Hit[]> {
    const found = new Set<string>();
    const file = await unlessGone(open(path));
    if (!file) return [];
    try {
      const buffer = Buffer.alloc(this.#longest - 1 + this.#chunkBytes);
      let kept = 0; // of the chunk before: a needle may begin there
      for (;;) {
        const { bytesRead } = await file.read(buffer, kept, this.#chunkBytes);
        if (bytesRead === 0) break;
        const filled = buffer.subarray(0, kept + bytesRead);
        this.#look(filled, found);
        kept = Math.min(this.#longest - 1, filled.length);
        buffer.copyWithin(0, filled.length - kept, filled.length);
      }
    } finally {
      await file.close();
    }
    return [...found].map((needle) => ({ file: path, needle }));
  }

  #look(bytes: Buffer, found: Set<string>): void {
    const filter = this.#filter;
    let prefix = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      prefix = (prefix << 8) | (bytes[at] ?? 0);
      if (filter[slotOf(prefix)] === 0 || at < PREFIX_BYTES - 1) continue;
      const from = at - PREFIX_BYTES + 1;
      for (const { name, bytes: wanted } of this.#byPrefix.get(prefix) ?? []) {
        if (bytes.subarray(from, from + wanted.length).equals(wanted)) found.add(name);
      }
    }
  }
}

/** Jest looks a global up anew each time, slowly. */
const { imul } = Math;

function slotOf(prefix: number): number {
  return imul(prefix, 0x9e37_79b1) >>> (32 - FILTER_BITS);
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}
