import { ConcordatError, isErrorCode } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { Command } from 'commander';
import { HANDLING } from './handling-options.js';
import { SCHEMAS_DIR } from '../io/home.js';
import { newEventId } from '../io/new-id.js';
import { publishMany } from '../io/publish-many.js';
import { readInput } from '../io/read-input.js';
import { DOORS, withClient } from '../io/session.js';
import {
  type EventReference,
  type MemberOptions,
  type Surroundings,
  asMember,
  eventArgument,
  membersArgument,
  referencesArgument,
  surroundings,
  textsArgument,
  usageError,
  wholeNumber,
} from './options.js';
import type { World } from './world.js';

type RefusedEvent = concordat.node.v1.RefusedEvent;

interface PublishOptions extends MemberOptions {
  readonly id?: EventId;
  readonly category?: string;
  readonly schema?: string;
  readonly schemaVersion?: number;
  readonly purpose: readonly string[];
  readonly legalBasis: string;
  readonly tlp: string;
  readonly europol: string;
  readonly source: string;
  readonly information: string;
  readonly retainDays: number;
  readonly to?: readonly MemberId[];
  readonly byAgreement?: boolean;
  readonly supersedes?: EventId;
  readonly derivedFrom?: readonly EventReference[];
  readonly lines?: true;
}

const DAY_MS = 86_400_000;
const LINE_FEED = 10;
const PROGRESS_EVERY = 10_000;
const REFUSALS_SHOWN = 20;

export function addPublishCommand(event: Command, world: World): void {
  asMember(event.command('publish'), world)
    .description('publish one event; its id is printed once it is durable and on its way')
    .argument('<file>', 'its content as JSON; - for the standard input')
    .option('--category <name>', 'listing.al-qaida.individual (default: the schema)')
    .option('--schema <name>', "category schema in schemas/ (default: the category's first word)")
    .option('--schema-version <n>', 'a version of it (default: the newest)', wholeNumber(1, 999))
    .requiredOption('--purpose <names>', 'what it may be used for; repeat or a,b', textsArgument)
    .requiredOption('--legal-basis <text>', 'the law that permits to share it')
    .option('--to <members>', 'exactly these recipients; repeat or de,fr', membersArgument)
    .option('--by-agreement', 'whoever an agreement permits')
    .option('--retain-days <n>', 'delete it everywhere after this', wholeNumber(1, 36_500), 30)
    .option('--supersedes <id>', 'the own event that this one replaces', eventArgument)
    .option('--derived-from <member/id>', 'made from this event; may repeat', referencesArgument)
    .option('--lines', 'each line of the file is an event of its own, all in one stream')
    .option('--id <uuid>', 'UUIDv7; the same again gets the first result', eventArgument)
    .addOption(HANDLING.tlp().default('AMBER'))
    .addOption(HANDLING.europol().default('H1'))
    .addOption(HANDLING.source().default('X'))
    .addOption(HANDLING.information().default('4'))
    .action(async (file: string, options: PublishOptions, command: Command) =>
      publish(world, file, options, command),
    );
}

async function publish(
  world: World,
  file: string,
  options: PublishOptions,
  command: Command,
): Promise<void> {
  const { print, call } = surroundings(world, command);
  const content = await readInput(file, world.stdin);
  if (options.lines) {
    await publishLines(world, content, options, surroundings(world, command));
    return;
  }
  const request = requestOf(world, content, options);
  const published = await withClient(options, DOORS.national, (node) =>
    node.publish(request, call),
  );
  print.progress(placeText(published));
  print.answer(published, () => [published.eventId]);
}

/** By a stream; a refused event ends nothing, but the program then fails at the end. */
async function publishLines(
  world: World,
  content: Uint8Array,
  options: PublishOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const { id, supersedes } = options;
  if (id ?? supersedes) throw usageError('--lines: expected no --id and no --supersedes with it');
  const lines = linesOf(content);
  const template = requestOf(world, content, options);
  const requests = lines.map((contentJson) => ({
    ...template,
    eventId: newEventId(world),
    contentJson,
  }));
  const failed: ConcordatError[] = [];
  let told = 0;
  const onSent = (count: number): void => {
    if (count < told + PROGRESS_EVERY) return;
    told = count;
    print.progress(`${count} of ${lines.length} events sent`);
  };
  await withClient(options, DOORS.national, async (node) => {
    for await (const outcome of publishMany({ node, clock: world.clock }, requests, call, onSent)) {
      if (outcome.kind === 'published') {
        print.line(outcome.place, outcome.place.eventId);
        continue;
      }
      const error = refusalAt(outcome.position + 1, outcome.refusal);
      if (failed.length < REFUSALS_SHOWN) print.progress(`${error.code} ${error.message}`);
      failed.push(error);
    }
  });
  print.progress(`${lines.length - failed.length} of ${lines.length} events are published`);
  const [first] = failed;
  if (!first) return;
  const text = `${failed.length} of ${lines.length} events were refused, the others are published; ${first.message}`;
  throw new ConcordatError(first.code, text);
}

/** Without the empty ones. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(LINE_FEED, from);
    const to = end === -1 ? bytes.length : end;
    if (to > from) lines.push(bytes.subarray(from, to));
    from = to + 1;
  }
  if (lines.length > 0) return lines;
  throw new ConcordatError('REQUEST_INVALID', '--lines: expected a line for each event, came none');
}

function refusalAt(line: number, { code, message }: RefusedEvent): ConcordatError {
  const known = isErrorCode(code) ? code : 'INTERNAL';
  return new ConcordatError(known, `event ${line} of the file: ${message}`);
}

/** Where an event stands, for people. */
export function placeText({
  lane,
  epoch,
  blockNumber,
  leaf,
  repeated,
}: concordat.node.v1.PublishResponse): string {
  const place = `lane ${lane}, epoch ${epoch}, block ${blockNumber}, leaf ${leaf}`;
  return repeated ? `was published before, in ${place}; nothing is added` : `published in ${place}`;
}

function requestOf(
  { clock, random }: Pick<World, 'clock' | 'random'>,
  contentJson: Uint8Array,
  options: PublishOptions,
): concordat.node.v1.PublishRequest {
  const category = options.category ?? options.schema;
  if (category === undefined) {
    throw usageError('--category, --schema: expected at least one of them, came neither');
  }
  const nowMs = clock.nowMs();
  const { tlp, europol, source, information } = options;
  return {
    eventId: options.id ?? newEventId({ clock, random }),
    category,
    schemaHash: schemaHashOf(options.schema ?? category, options.schemaVersion),
    contentJson,
    collectedAtMs: nowMs,
    retainUntilMs: nowMs + options.retainDays * DAY_MS,
    purposes: [...options.purpose],
    legalBasis: options.legalBasis,
    handling: { tlp, europol, source, information: Number(information) },
    supersedes: options.supersedes ?? '',
    audience: audienceOf(options),
    derivedFrom: [...(options.derivedFrom ?? [])],
  };
}

/** Nobody is a recipient by default, and by mistake neither. */
function audienceOf({ to = [], byAgreement = false }: PublishOptions) {
  if (byAgreement === to.length > 0) {
    const came = byAgreement ? 'both' : 'neither';
    throw usageError(`--to, --by-agreement: expected one of them, came ${came}`);
  }
  return { byAgreement, members: [...to] };
}

function schemaHashOf(name: string, version: number | undefined): Uint8Array {
  const type = openCategoryCodec(SCHEMAS_DIR).findByCategory(name, version);
  if (type) return type.hash;
  const first = name.split('.')[0] ?? '';
  throw new ConcordatError(
    'SCHEMA_UNKNOWN',
    version === undefined
      ? '--category, --schema: expected a name whose first word is a category schema in schemas/'
      : `--schema-version: expected a file like ${first}.v${version}.avsc in schemas/`,
  );
}
