import { isCategoryPattern } from '@concordat/common/domain/category.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { parseSubject } from '@concordat/common/domain/subjects.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Command, InvalidArgumentError } from 'commander';
import { RANGE_EXPECTED, type TimeRange, parseTimeRange } from '../domain/selection.js';
import { eventsArgument, membersArgument, textsArgument } from './options.js';

export interface SelectorOptions {
  readonly subject?: readonly string[];
  readonly category?: readonly string[];
  readonly agreement?: readonly string[];
  readonly heldBy?: readonly MemberId[];
  readonly published?: TimeRange;
  readonly collected?: TimeRange;
}

function rangeArgument(text: string): TimeRange {
  const range = parseTimeRange(text);
  if (range.ok) return range.value;
  throw new InvalidArgumentError(`Expected ${RANGE_EXPECTED}.`);
}

/** Commas belong to names. */
function subjectArgument(text: string, before: readonly string[] = []): string[] {
  if (parseSubject(text).ok) return [...before, text];
  throw new InvalidArgumentError(
    "Expected name, document, account or reference, a colon and a text, as in 'name:Doe, John'.",
  );
}

function patternsArgument(text: string, before: readonly string[] = []): string[] {
  const patterns = textsArgument(text);
  if (patterns.every(isCategoryPattern)) return [...before, ...patterns];
  throw new InvalidArgumentError('Expected a category, or a pattern such as person-alert.**.');
}

export function withSelector(command: Command): Command {
  return command
    .argument('[ids...]', 'own events', eventsArgument)
    .option(
      '--subject <kind:text>',
      'about this person, document, account or reference',
      subjectArgument,
    )
    .option('--category <pattern>', 'of this category, as person-alert.**', patternsArgument)
    .option('--agreement <id>', 'whose keys left under this agreement', textsArgument)
    .option('--held-by <member>', 'whose keys this member was given', membersArgument)
    .option('--published <from..before>', 'published then', rangeArgument)
    .option('--collected <from..before>', 'collected then', rangeArgument);
}

type Selector = concordat.node.v1.Selector;

const ALWAYS: TimeRange = { fromMs: 0, beforeMs: 0 };

export function selectorOf(ids: readonly EventId[], options: SelectorOptions): Selector {
  const { subject = [], category = [], agreement = [], heldBy = [] } = options;
  const { published = ALWAYS, collected = ALWAYS } = options;
  return {
    ...{ eventIds: [...ids], subjects: [...subject], categories: [...category] },
    ...{ agreements: [...agreement], holders: [...heldBy] },
    ...{ publishedFromMs: published.fromMs, publishedBeforeMs: published.beforeMs },
    ...{ collectedFromMs: collected.fromMs, collectedBeforeMs: collected.beforeMs },
  };
}

export function isSelecting(ids: readonly EventId[], options: SelectorOptions): boolean {
  const { subject, category, agreement, heldBy, published, collected } = options;
  const said = [subject, category, agreement, heldBy, published, collected];
  return ids.length > 0 || said.some((one) => one !== undefined);
}
