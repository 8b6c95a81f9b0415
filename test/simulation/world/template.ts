import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UnSnapshot } from '@concordat/cli/domain/un-list/entry.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import { generate } from '@concordat/common/domain/synthetic/generate.js';
import { type Topic, type TopicCatalogue, wantedTopics } from '@concordat/common/domain/topics.js';
import { type CategoryCodec, openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { codec, schemasDir } from '../../support/federation.js';
import { REPOSITORY } from '../../support/repository.js';
import { SimulatedDisks } from '../disk.js';
import {
  MEMBERS,
  type SimulatedFederation,
  macFederation,
  signedFederation,
} from './federation.js';
import { readUnLists } from './un-lists.js';
import { PROCESSES, type Process } from './places.js';

export interface Schemas {
  readonly codec: RecordCodec;
  readonly categories: CategoryCodec;
}

/** An event's content as a national system has it. */
export interface Content {
  readonly category: string;
  readonly schemaHash: Uint8Array;
  /** UTF-8 JSON */
  readonly json: Uint8Array;
  /** whom it is about, as an officer selects it: `document:K123` */
  readonly subject?: string | undefined;
}

/** What all seeds of one process share: it is made once. */
export interface WorldTemplate {
  readonly schemas: Schemas;
  readonly signed: SimulatedFederation;
  readonly mac: SimulatedFederation;
  readonly topics: readonly Topic[];
  readonly contents: readonly Content[];
  /** the UN's, the oldest first */
  readonly lists: readonly UnSnapshot[];
  readonly disks: SimulatedDisks;
  /** data directories of processes that were started once and did nothing; filled by `withStartFiles` */
  readonly startFiles: Map<string, ReadonlyMap<string, Uint8Array>>;
}

/** How often each category comes, out of a hundred: those with many sections cost most. */
const CONTENTS: readonly (readonly [category: string, count: number])[] = [
  ['information-report', 44],
  ['threat-indicator', 24],
  ['financial-indicator', 16],
  ['travel-document-alert', 10],
  ['person-alert', 6],
];
/** Of each topic, unless the catalogue says fewer. */
const LANES = 2;

export function makeTemplate(): WorldTemplate {
  const catalogue = JSON.parse(
    readFileSync(join(REPOSITORY, 'infra/topics.json'), 'utf8'),
  ) as TopicCatalogue;
  const signed = signedFederation();
  const topics = wantedTopics(catalogue, { members: MEMBERS, origins: MEMBERS }, 'demo');
  const categories = openCategoryCodec(schemasDir);
  return {
    ...{ schemas: { codec, categories }, signed, mac: macFederation(signed) },
    topics: topics.map((topic) => ({ ...topic, lanes: Math.min(topic.lanes, LANES) })),
    contents: CONTENTS.flatMap(([name, count]) =>
      Array.from({ length: count }, (_none, n) => contentOf(categories, name, n)),
    ),
    lists: readUnLists(),
    disks: new SimulatedDisks(),
    startFiles: new Map(),
  };
}

function contentOf(categories: CategoryCodec, name: string, n: number): Content {
  const { category, content } = generate(name, 'simulation', n);
  const type = categories.findByCategory(category);
  if (!type) throw new Error(`no schema of ${category}`);
  const json = Buffer.from(JSON.stringify(content));
  return { category, schemaHash: type.hash, json, subject: subjectOf(content) };
}

function subjectOf({ reference, number }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof number === 'string') return `document:${number}`;
  return typeof reference === 'string' ? `reference:${reference}` : undefined;
}

/** Every process of the federation. */
export const PLACES: readonly { readonly member: MemberId; readonly process: Process }[] =
  MEMBERS.flatMap((member) => PROCESSES.map((process) => ({ member, process })));
