import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Command, Option } from 'commander';
import { SCHEMAS_DIR } from '../io/home.js';
import { newEventId } from '../io/new-id.js';
import { readInput } from '../io/read-input.js';
import { DOORS, withClient } from '../io/session.js';
import {
  type MemberOptions,
  asMember,
  eventArgument,
  membersArgument,
  surroundings,
  textsArgument,
  usageError,
  wholeNumber,
} from './options.js';
import type { World } from './world.js';

interface PublishOptions extends MemberOptions {
  readonly id?: EventId;
  readonly category?: string;
  readonly schema?: string;
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
}

const DAY_MS = 86_400_000;

export function addPublishCommand(event: Command, world: World): void {
  asMember(event.command('publish'), world)
    .description('publish one event; its id is printed once it is durable and on its way')
    .argument('<file>', 'its content as JSON; - for the standard input')
    .option('--category <name>', 'listing.al-qaida.individual (default: the schema)')
    .option('--schema <name>', "category schema in schemas/ (default: the category's first word)")
    .requiredOption('--purpose <names>', 'what it may be used for; repeat or a,b', textsArgument)
    .requiredOption('--legal-basis <text>', 'the law that permits to share it')
    .option('--to <members>', 'exactly these recipients; repeat or de,fr', membersArgument)
    .option('--by-agreement', 'whoever an agreement permits')
    .option('--retain-days <n>', 'delete it everywhere after this', wholeNumber(1, 36_500), 30)
    .option('--supersedes <id>', 'the own event that this one replaces', eventArgument)
    .option('--id <uuid>', 'UUIDv7; the same again gets the first result', eventArgument)
    .addOption(
      choice(
        '--tlp <label>',
        'TLP 2.0',
        ['CLEAR', 'GREEN', 'AMBER', 'AMBER_STRICT', 'RED'],
        'AMBER',
      ),
    )
    .addOption(choice('--europol <code>', 'handling code', ['H0', 'H1', 'H2', 'H3'], 'H1'))
    .addOption(choice('--source <grade>', 'how reliable the source is', ['A', 'B', 'C', 'X'], 'X'))
    .addOption(choice('--information <grade>', 'how certain it is', ['1', '2', '3', '4'], '4'))
    .action(async (file: string, options: PublishOptions, command: Command) =>
      publish(world, file, options, command),
    );
}

function choice(flags: string, about: string, values: readonly string[], usual: string): Option {
  return new Option(flags, about).choices(values).default(usual);
}

async function publish(
  world: World,
  file: string,
  options: PublishOptions,
  command: Command,
): Promise<void> {
  const { print, call } = surroundings(world, command);
  const request = requestOf(world, await readInput(file, world.stdin), options);
  const published = await withClient(options, DOORS.national, (node) =>
    node.publish(request, call),
  );
  const { eventId, lane, epoch, blockNumber, leaf, repeated } = published;
  const place = `lane ${lane}, epoch ${epoch}, block ${blockNumber}, leaf ${leaf}`;
  print.progress(
    repeated ? `was published before, in ${place}; nothing is added` : `published in ${place}`,
  );
  print.answer(published, () => [eventId]);
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
    schemaHash: schemaHashOf(options.schema ?? category),
    contentJson,
    collectedAtMs: nowMs,
    retainUntilMs: nowMs + options.retainDays * DAY_MS,
    purposes: [...options.purpose],
    legalBasis: options.legalBasis,
    handling: { tlp, europol, source, information: Number(information) },
    supersedes: options.supersedes ?? '',
    audience: audienceOf(options),
    derivedFrom: [],
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

function schemaHashOf(name: string): Uint8Array {
  const type = openCategoryCodec(SCHEMAS_DIR).findByCategory(name);
  if (type) return type.hash;
  throw new ConcordatError(
    'SCHEMA_UNKNOWN',
    '--category, --schema: expected a name whose first word is a category schema in schemas/',
  );
}
