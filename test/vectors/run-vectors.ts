import { join } from 'node:path';
import { filesUnder, openJson } from './files.js';
import { avroRejections } from './sets/avro-rejections.js';
import { cctvEd25519 } from './sets/cctv-ed25519.js';
import { dsse } from './sets/dsse.js';
import { rfc6962Consistency, rfc6962Inclusion } from './sets/rfc6962.js';
import { wycheproofAesGcm } from './sets/wycheproof-aes-gcm.js';
import { wycheproofEd25519 } from './sets/wycheproof-ed25519.js';
import { type Json, type Vector, type VectorSet, VectorUnreadable } from './vector-set.js';

const SETS: readonly VectorSet[] = [
  wycheproofEd25519,
  wycheproofAesGcm,
  cctvEd25519,
  dsse,
  rfc6962Inclusion,
  rfc6962Consistency,
  avroRejections,
];

interface Tally {
  files: number;
  passed: number;
  failed: number;
}

/**
 * Runs every file under `folder` that belongs to a set we know, and prints what came, the total last.
 *
 * @param print takes one line
 * @returns how many vectors passed and failed
 * @throws FolderUnusable
 */
export function runVectors(
  folder: string,
  print: (line: string) => void,
): { readonly passed: number; readonly failed: number } {
  const tallies = new Map(SETS.map(({ name }) => [name, { files: 0, passed: 0, failed: 0 }]));
  let foreign = 0;
  for (const file of filesUnder(folder)) {
    const opened = openJson(join(folder, file));
    const found = 'json' in opened ? recognise(opened.json) : undefined;
    if (!found) {
      foreign += 1;
      const why = 'unread' in opened ? opened.unread : 'no set that is known here';
      print(`not ours  ${clean(file)}: ${why}`);
      continue;
    }
    const problems = found.vectors.flatMap((vector) => lineOf(vector) ?? []);
    const failed = problems.length;
    const passed = found.vectors.length - failed;
    print(
      `${failed === 0 ? 'ok      ' : 'FAILED  '}  ${clean(file)}: ${found.name}, ${counts(passed, failed)}`,
    );
    for (const problem of problems) print(`            ${problem}`);
    const tally = tallies.get(found.name);
    if (tally) add(tally, passed, failed);
  }
  print('');
  const total: Tally = { files: 0, passed: 0, failed: 0 };
  for (const [name, { files, passed, failed }] of tallies) {
    if (files > 0) print(`${name}: ${String(files)} files, ${counts(passed, failed)}`);
    add(total, passed, failed);
  }
  print(`not ours: ${String(foreign)} files`);
  print(counts(total.passed, total.failed));
  return total;
}

/** The first set that finds vectors of its own in the file. */
function recognise(
  json: Json,
): { readonly name: string; readonly vectors: readonly Vector[] } | undefined {
  for (const { name, read } of SETS) {
    const vectors = read(json);
    if (vectors && vectors.length > 0) return { name, vectors };
  }
  return undefined;
}

/** A wrapper that throws where it should answer has failed, and so has a vector that cannot be read. */
function lineOf(vector: Vector): string | undefined {
  let problem: string | undefined;
  try {
    problem = vector.run();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    problem =
      cause instanceof VectorUnreadable ? `cannot be checked: ${message}` : `threw: ${message}`;
  }
  return problem === undefined ? undefined : clean(`${vector.id}: ${problem}`);
}

function add(tally: Tally, passed: number, failed: number): void {
  tally.files += 1;
  tally.passed += passed;
  tally.failed += failed;
}

function counts(passed: number, failed: number): string {
  return `${String(passed)} passed, ${String(failed)} failed`;
}

/** Names and comments are foreign text: one short line of it, so that no file can write into the report. */
function clean(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?').slice(0, 300);
}
