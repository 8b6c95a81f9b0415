import { EMPTY_HEAD, type Link } from '@concordat/common/domain/chain.js';
import { ZERO_HASH } from '@concordat/common/domain/bytes.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import type { PurgeOutcome } from '@concordat/common/domain/records.js';
import type { FreshAnswer } from '@concordat/node/domain/freshness.js';
import type { Moment } from '@concordat/node/domain/moment.js';
import type { Cause } from '@concordat/node/domain/purge/holding.js';
import type { Rules } from './rules.js';
import { type Copy, ENTRY, LIFE, RECEIPT, ROW, SECTIONS } from './state.js';

/**
 * A holder's node as far as one event goes: stores that are changed commit by commit, in the order and with the contents that
 * the shipped functions say. What is here is only what a commit does to the fields of a state.
 */
type Commit = (copy: Copy) => Copy;

const NOW = { unixMs: 0, monotonicMs: 0 } as Moment;
const FIRST: Link = { epoch: 1, number: 1, previous: ZERO_HASH, hash: ZERO_HASH };

const causeOf = ({ tombstone }: Copy): Cause | undefined => (tombstone ? 'order' : undefined);
const goneIn = ({ cut }: Copy): ReadonlySet<string> => new Set(cut ? [SECTIONS[0]] : []);
const keysFor = (names: readonly string[]): number => names.length;

/** What the node can have after these commits: all of them, or those before a crash. */
function afterEach(copy: Copy, commits: readonly Commit[], whenDown: number): Copy[] {
  const states: Copy[] = [];
  let now = copy;
  for (const [at, commit] of commits.entries()) {
    now = commit(now);
    if (at < commits.length - 1) states.push({ ...now, life: whenDown, heard: 0 });
  }
  return [...states, now];
}

const crashed = (copy: Copy, commits: readonly Commit[]): Copy[] =>
  afterEach(copy, commits, LIFE.crashed);

/** A feed statement comes, for the first time or again. */
export function onFeed(rules: Rules, copy: Copy): Copy {
  const sections = SECTIONS.map((name) => ({ name }));
  const isHere = { isBuried: copy.tombstone === 1, isKnown: copy.row !== ROW.none };
  const came = rules.takeIn({ ...isHere, gone: goneIn(copy) }, sections);
  return came.kind === 'waits' ? { ...copy, row: ROW.waiting } : copy;
}

/** An answer with keys comes; `proven`: it has the seal of a section order with it. */
export function onKeys(rules: Rules, copy: Copy, proven: boolean): Copy[] {
  const row = copy.row === ROW.waiting ? 'waiting' : undefined;
  if (!rules.wantsKeys({ isBuried: copy.tombstone === 1, row })) return [copy];
  const sealed = proven ? ([SECTIONS[0]] as readonly string[]) : [];
  const keys = keysFor(
    SECTIONS.filter((name) => !goneIn(copy).has(name) && !sealed.includes(name)),
  );
  return kept(rules, copy, {
    tombstones: (now) => (proven ? { ...now, cut: 1, unfinished: 1 } : now),
    keys: (now) => ({ ...now, keys }),
    rows: (now) => ({ ...now, row: ROW.readable }),
  });
}

/** The origin's seal comes in the place of keys. */
export function onSeal(rules: Rules, copy: Copy): Copy[] {
  const row = copy.row === ROW.waiting ? 'waiting' : undefined;
  if (!rules.wantsKeys({ isBuried: copy.tombstone === 1, row })) return [copy];
  return kept(rules, copy, {
    tombstones: (now) => ({ ...now, tombstone: 1, unfinished: 1 }),
    keys: same,
    rows: same,
  });
}

const same: Commit = (copy) => copy;

function kept(
  rules: Rules,
  copy: Copy,
  commits: Readonly<Record<'tombstones' | 'keys' | 'rows', Commit>>,
): Copy[] {
  const steps = rules.keysCame.flatMap((step): readonly Commit[] => {
    if (step === 'deletion') return deletion(rules);
    return step === 'notices' || step === 'leases' ? [] : [commits[step]];
  });
  return crashed(copy, steps);
}

/** An entry comes, in its place, again, or not signed by whom it should be. */
export function onEntry(
  rules: Rules,
  copy: Copy,
  entry: { readonly id: EventId; readonly sections: readonly string[] },
  child: { readonly isPublished: boolean } | undefined,
): Copy {
  const number = copy.entry === ENTRY.none ? 0 : 1;
  if (rules.followChain({ ...EMPTY_HEAD, number }, FIRST).kind !== 'next') return copy;
  const { id, sections } = entry;
  const held = [...(copy.row === ROW.none ? [] : SECTIONS), ...SECTIONS.slice(2 - copy.keys)];
  const isHeld =
    sections.length === 0
      ? held.length > 0
      : rules.holdsAnyOf(sections, copy.cut ? [SECTIONS[1]] : held, goneIn(copy));
  const given = givenIn(copy, id);
  const burial = rules.burialOf({
    sections,
    events: [{ id, cause: causeOf(copy), isHeld }],
    given,
  });
  const outcome = burial.outcomes.find((one) => one.id === id)?.outcome;
  const isBuried = burial.ids.includes(id);
  const duties = child ? rules.dutiesOf([{ child: id }], () => child.isPublished) : [];
  const isFinal = given !== undefined && copy.receipt !== RECEIPT.open;
  const open = duties.some(({ isMade }) => isMade) ? 1 : 0;
  return {
    ...copy,
    tombstone: isBuried && burial.takes === 'events' ? 1 : copy.tombstone,
    cut: isBuried && burial.takes === 'sections' ? 1 : copy.cut,
    unfinished: isBuried ? 1 : copy.unfinished,
    duty: isFinal ? open * 2 : open,
    entry: entryAfter(copy, outcome, given),
  };
}

/** What this node's own receipt said, read back from its topic after a loss of the state. */
function givenIn({ receipt }: Copy, id: EventId) {
  const said = { 0: undefined, 1: 'CHILDREN_OPEN', 2: 'DELETED', 3: 'NOT_HELD' } as const;
  const outcome = said[receipt as 0 | 1 | 2 | 3];
  return outcome && [{ id, outcome }];
}

function entryAfter({ receipt }: Copy, outcome: PurgeOutcome | undefined, given: unknown): number {
  if (given !== undefined && receipt === RECEIPT.open) return ENTRY.opened;
  if (given !== undefined && SAYS[receipt] === outcome) return ENTRY.answered;
  return outcome === 'DELETED' ? ENTRY.held : ENTRY.notHeld;
}

const SAYS: readonly (PurgeOutcome | undefined)[] = [undefined, undefined, 'DELETED', 'NOT_HELD'];

/** What is buried is deleted, and what can be answered is answered. */
export function onBurial(rules: Rules, copy: Copy): Copy[] {
  return crashed(
    copy,
    rules.afterBurial.flatMap((step) => (step === 'deletion' ? deletion(rules) : [answer(rules)])),
  );
}

/** Reads `unfinished` as it goes: without anything buried nothing is deleted. */
function deletion(rules: Rules): Commit[] {
  const only =
    (commit: Commit): Commit =>
    (copy) =>
      copy.unfinished ? commit(copy) : copy;
  return rules.deletion.flatMap((step): readonly Commit[] => {
    switch (step) {
      case 'keys':
        return [only((copy) => ({ ...copy, keys: copy.tombstone ? 0 : Math.min(copy.keys, 1) }))];
      case 'rows':
        return [only((copy) => ({ ...copy, row: copy.tombstone ? ROW.none : copy.row }))];
      case 'finished':
        return [only((copy) => ({ ...copy, unfinished: 0 }))];
      case 'leases':
      case 'journals':
        return [];
    }
  });
}

function answer(rules: Rules): Commit {
  return (copy) => {
    if (copy.entry === ENTRY.none || copy.entry === ENTRY.answered) return copy;
    const now = rules.outcomeNow({
      judged: copy.entry === ENTRY.notHeld ? 'NOT_HELD' : 'DELETED',
      ...{ isHeldByLaw: false, isOwed: false, isChildOpen: copy.duty === 1 },
    });
    switch (rules.stageOf([now])) {
      case 'OPEN':
        return { ...copy, entry: ENTRY.opened, receipt: RECEIPT.open };
      case 'DELETED':
        return { ...copy, entry: ENTRY.answered, receipt: RECEIPT.deleted };
      case 'NOT_HELD':
        return { ...copy, entry: ENTRY.answered, receipt: RECEIPT.notHeld };
    }
  };
}

/** The node starts, over whatever it finds. */
export function onStart(rules: Rules, copy: Copy): Copy[] {
  const steps = rules.startSteps(false).flatMap((step): readonly Commit[] => {
    switch (step) {
      case 'what came back':
        return [cameBack];
      case 'deletion':
        return deletion(rules);
      case 'receipts':
        return [answer(rules)];
      case 'key answers':
        return [mend(rules)];
    }
  });
  return afterEach(copy, [...steps, mend(rules), up], copy.life);
}

const up: Commit = (copy) => ({ ...copy, life: LIFE.up });

const cameBack: Commit = (copy) => {
  const isBuried = copy.tombstone === 1 || copy.cut === 1;
  return isBuried && (copy.row !== ROW.none || copy.keys > 0) ? { ...copy, unfinished: 1 } : copy;
};

function mend(rules: Rules): Commit {
  return (copy) => {
    const hasKeys = copy.keys > 0;
    const found =
      copy.row === ROW.none
        ? ({ row: 'none', isOwn: false, isPublished: false } as const)
        : ({ row: copy.row === ROW.waiting ? 'waiting' : 'readable', hasKeys } as const);
    switch (rules.mendOf(found)) {
      case 'make readable':
        return { ...copy, row: ROW.readable };
      case 'ask for keys':
        return { ...copy, row: ROW.waiting };
      case 'drop':
        return { ...copy, keys: 0 };
      case 'nothing':
        return copy;
    }
  };
}

/** Rows of a backup are let in while the node is down. */
export function onRestore(rules: Rules, copy: Copy): Copy {
  const isThere = copy.backup > 0 && copy.row === ROW.none;
  if (!isThere || rules.mayComeBack(causeOf(copy)) !== undefined) return copy;
  return { ...copy, row: ROW.waiting };
}

/** Would a reader be given plaintext now? */
export function canRead(rules: Rules, copy: Copy): boolean {
  if (copy.life !== LIFE.up || rules.goneBecause(causeOf(copy)) !== undefined) return false;
  const answered: FreshAnswer | undefined =
    copy.heard === 0 ? undefined : { sentAt: NOW, head: copy.heard - 1 };
  const applied = copy.entry === ENTRY.none ? 0 : 1;
  const fresh = rules.freshness(answered, applied, NOW);
  if (fresh === 'NOT_FRESH' || fresh === 'BEHIND') return false;
  return copy.row === ROW.readable && copy.keys > 0;
}
