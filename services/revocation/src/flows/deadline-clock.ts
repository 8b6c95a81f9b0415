import { setImmediate as turn } from 'node:timers/promises';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { DefaultNotice, PurgeEntry } from '@concordat/common/domain/records.js';
import { SUITE, signStatement, verifyStatement } from '@concordat/common/domain/statement.js';
import { purgeTopic, receiptsTopic } from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { Repeating } from '@concordat/common/io/repeating.js';
import { entryLife, lookAt, stepEntry } from '../domain/silence.js';
import type { KnownEntry } from '../io/entry-rows.js';
import { entryRecord } from './append-entries.js';
import type { RevocationContext } from './context.js';

/** Entries of one commit. */
const BATCH = 100;
/** Of a holder's unanswered entries the first so many are sent again: an endless silence must not fill the topic. */
const REMINDED_MAX = 256;

/**
 * Looks at holders that do not answer. Before and after the deadline their entry is sent again, byte for byte, should it
 * have been lost; once the deadline is over their silence is signed, once for each entry. A receipt ends both.
 */
export function deadlineClock(
  context: RevocationContext,
  log: Pick<LogClient, 'ends'>,
  everyMs: number,
): Repeating {
  const { clock, others, store } = context;
  return new Repeating(clock, everyMs, async (signal) => {
    for (const holder of others) {
      if (store.entries.toLookAt(holder, clock.nowMs(), 1).length === 0) continue;
      if (!(await isReadUp(context, log, holder))) continue;
      while (!signal.aborted && lookAtHolder(context, holder, clock.nowMs())) await turn();
      if (signal.aborted) return;
    }
  });
}

/**
 * Nobody is called silent whose answer stands on the topic, and we have not read it. A holder whose own chain has a gap
 * cannot be read on, and is.
 */
async function isReadUp(
  { store, self, logger }: RevocationContext,
  log: Pick<LogClient, 'ends'>,
  holder: MemberId,
): Promise<boolean> {
  const topic = receiptsTopic({ origin: self, recipient: holder });
  if (store.chains.hasGap(topic)) return true;
  try {
    const [end] = await log.ends(topic);
    return end !== undefined && store.chains.position(topic, 0) >= end.high;
  } catch (cause) {
    logger.warn('silence is not judged for now', { topic, error: asConcordatError(cause) });
    return false;
  }
}

/** @returns true when there may be more */
function lookAtHolder(context: RevocationContext, holder: MemberId, nowMs: UnixMs): boolean {
  const { store, self, outbox, logger } = context;
  const topic = purgeTopic({ origin: self, recipient: holder });
  const came = { reminded: 0, noticed: 0 };
  const looked = store.db.transaction(() => {
    // what the broker does not have yet is on its way
    const isSent = store.chains.isSent(topic, 0, Number.MAX_SAFE_INTEGER);
    const entries = store.entries.toLookAt(holder, nowMs, BATCH);
    for (const entry of entries) {
      const done = lookAtEntry(context, entry, isSent, nowMs);
      if (done.isReminded) came.reminded += 1;
      if (done.isNoticed) came.noticed += 1;
    }
    if (came.reminded > 0) store.chains.count('reminders.sent', came.reminded);
    if (came.noticed > 0) store.chains.count('notices.made', came.noticed);
    return entries.length;
  });
  if (came.reminded > 0) {
    outbox.wake(topic, 0);
    logger.info('a silent holder is reminded', { peer: holder, count: came.reminded });
  }
  if (came.noticed > 0) {
    logger.warn('a holder is silent past the deadline', { peer: holder, count: came.noticed });
  }
  return looked === BATCH;
}

function lookAtEntry(
  context: RevocationContext,
  entry: KnownEntry,
  isSent: boolean,
  nowMs: UnixMs,
): { readonly isReminded: boolean; readonly isNoticed: boolean } {
  const { store, self } = context;
  const { recipient, number, nextLookMs = nowMs } = entry;
  const look = lookAt(entry, nextLookMs, nowMs);
  const life = entryLife({ receipt: false, notice: entry.notice !== undefined });
  const isNoticed = look.isPastDeadline && stepEntry(life, 'due') !== life;
  const isReminded =
    look.isReminded &&
    isSent &&
    store.entries.countOpenBefore(recipient, number, REMINDED_MAX) < REMINDED_MAX;
  const value = entryIn(context, entry);
  if (isReminded) {
    const topic = purgeTopic({ origin: self, recipient });
    store.chains.enqueue(topic, 0, entryRecord(self, value, entry.bytes));
  }
  store.entries.looked(entry, {
    nextLookMs: look.nextLookMs,
    remindedAtMs: isReminded ? nowMs : entry.remindedAtMs,
    notice: isNoticed ? signNotice(context, value, entry, nowMs) : entry.notice,
    noticedAtMs: isNoticed ? nowMs : entry.noticedAtMs,
  });
  return { isReminded, isNoticed };
}

function entryIn({ codec, keys, self }: RevocationContext, { bytes }: KnownEntry): PurgeEntry {
  const entry = verifyStatement(codec, keys, 'PurgeEntry', bytes, { signer: self });
  if (!entry.ok) throw entry.error;
  return entry.value.value;
}

function signNotice(
  { codec, keys, signer, self }: RevocationContext,
  { recipient, orderId, epoch, number, timeMs, deadlineMs }: PurgeEntry,
  { hash }: KnownEntry,
  nowMs: UnixMs,
): Uint8Array {
  const notice: DefaultNotice = {
    suite: SUITE,
    federation: keys.federation,
    origin: self,
    keyId: signer.keyId,
    recipient,
    timeMs: nowMs,
    orderId,
    entryEpoch: epoch,
    entryNumber: number,
    entryHash: hash,
    entryTimeMs: timeMs,
    deadlineMs,
  };
  return signStatement(codec, signer, 'DefaultNotice', notice).bytes;
}
