import { type MonotonicMs, type UnixMs, asUnixMs } from '@concordat/common/domain/ids.js';
import type { Moment } from './moment.js';

/** A wall clock that is set on by no more than this between two looks is believed at once. */
export const DRIFT_MS_MAX = 60_000;
/** Any other wall clock has to say the same for so long, by the monotonic clock. */
export const STEADY_MS = 3_600_000;

interface Reading {
  /** wall clock minus monotonic clock: constant while both run as they should */
  readonly offsetMs: number;
  readonly since: MonotonicMs;
}

/** How far the own wall clock is believed: deletion cannot be undone, so a sudden jump must not decide it. */
export interface ClockBelief {
  readonly offsetMs: number | undefined;
  /** a reading that is not believed yet */
  readonly doubted: Reading | undefined;
}

/** At the start nothing vouches for the wall clock. */
export const NO_BELIEF: ClockBelief = { offsetMs: undefined, doubted: undefined };

/**
 * One look at both clocks. A wall clock that was set back changes nothing: time goes on from what was believed, so that
 * nothing is deleted late. One that jumped ahead, or that nobody looked at before, is believed after `STEADY_MS`.
 */
export function look(belief: ClockBelief, now: Moment): ClockBelief {
  const offsetMs = now.unixMs - now.monotonicMs;
  const believed = belief.offsetMs;
  if (believed !== undefined && offsetMs <= believed + DRIFT_MS_MAX) {
    return { offsetMs: Math.max(believed, offsetMs), doubted: undefined };
  }
  const { doubted } = belief;
  if (!doubted || Math.abs(offsetMs - doubted.offsetMs) > DRIFT_MS_MAX) {
    return { offsetMs: believed, doubted: { offsetMs, since: now.monotonicMs } };
  }
  if (now.monotonicMs - doubted.since < STEADY_MS) return belief;
  return { offsetMs, doubted: undefined };
}

/** An origin's signed time, and when its answer was here. */
export interface OriginTime {
  readonly saidMs: UnixMs;
  readonly heardAt: MonotonicMs;
}

/**
 * The time by which terms of one origin's events are over; undefined while nobody knows. An origin that was heard within
 * `STEADY_MS` decides by its signed time: the events are its own. While it is silent, our own clock decides.
 */
export function retentionTime(
  belief: ClockBelief,
  origin: OriginTime | undefined,
  monotonicMs: MonotonicMs,
): UnixMs | undefined {
  const silentMs = origin ? monotonicMs - origin.heardAt : Infinity;
  const saidMs = origin ? origin.saidMs + silentMs : -Infinity;
  const { offsetMs = -Infinity } = belief;
  const nowMs = silentMs <= STEADY_MS ? saidMs : Math.max(saidMs, offsetMs + monotonicMs);
  return nowMs === -Infinity ? undefined : asUnixMs(Math.floor(nowMs));
}
