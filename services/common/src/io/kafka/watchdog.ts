import type { LaneEnds } from '../log-client.js';

export const STALL_MS_MAX = 30_000;
export const HANDLE_MS_MAX = 300_000;
export const RENEWALS_MAX = 3;
export const RENEWALS_WINDOW_MS = 600_000;
/** A new leader's end may lag for a moment behind what was read: only the second look at a cut lane counts. */
const LOOKS = 2;

/** One lane at one look: `wanted` was taken before `ends` was asked for. */
export interface LaneLook {
  readonly topic: string;
  readonly wanted: bigint;
  readonly ends: LaneEnds;
  /** We hold the lane back ourselves: its queue is full, or it rests after a failure. */
  readonly paused: boolean;
  /** How long the present `handle` call has been running. */
  readonly handlingMs: number;
}

interface LaneMemory {
  readonly wanted: bigint;
  /** Is there more to read, and do we want it? */
  readonly waits: boolean;
  /** Since when the lane waits at `wanted`. */
  readonly sinceMs: number;
  readonly outside: number;
}

export interface WatchState {
  readonly lanes: ReadonlyMap<string, LaneMemory>;
  /** When consumers were made anew, oldest first; only those within the window. */
  readonly renewalsMs: readonly number[];
}

export type Verdict =
  | { readonly kind: 'fine' }
  | { readonly kind: 'renew'; readonly look: LaneLook }
  | { readonly kind: 'restarted'; readonly look: LaneLook }
  | { readonly kind: 'stalled'; readonly look: LaneLook }
  | { readonly kind: 'handler-stuck'; readonly look: LaneLook };

export const WATCH_START: WatchState = { lanes: new Map(), renewalsMs: [] };

/**
 * Is every lane moving? A lane that has more and got nothing for `STALL_MS_MAX` has a dead consumer: make a new one; the third
 * time within `RENEWALS_WINDOW_MS` nothing is gained by that any more.
 *
 * @param nowMs monotonic
 */
export function watch(
  state: WatchState,
  looks: readonly LaneLook[],
  nowMs: number,
): { readonly state: WatchState; readonly verdict: Verdict } {
  const lanes = new Map<string, LaneMemory>();
  for (const look of looks) {
    const key = `${look.topic}/${String(look.ends.lane)}`;
    lanes.set(key, remember(state.lanes.get(key), look, nowMs));
  }
  const memory = (look: LaneLook) => lanes.get(`${look.topic}/${String(look.ends.lane)}`);
  const next: WatchState = { lanes, renewalsMs: state.renewalsMs };

  const restarted = looks.find((look) => (memory(look)?.outside ?? 0) >= LOOKS);
  if (restarted) return { state: next, verdict: { kind: 'restarted', look: restarted } };

  const stuck = looks.find((look) => look.handlingMs >= HANDLE_MS_MAX);
  if (stuck) return { state: next, verdict: { kind: 'handler-stuck', look: stuck } };

  const still = looks.find((look) => nowMs - (memory(look)?.sinceMs ?? nowMs) >= STALL_MS_MAX);
  if (!still) return { state: next, verdict: { kind: 'fine' } };

  const renewed = renew(next, nowMs);
  const kind = renewed.exhausted ? 'stalled' : 'renew';
  return { state: { ...renewed.state, lanes: new Map() }, verdict: { kind, look: still } };
}

/** Counts one consumer made anew, whatever the cause. */
export function renew(
  state: WatchState,
  nowMs: number,
): { readonly state: WatchState; readonly exhausted: boolean } {
  const recent = state.renewalsMs.filter((atMs) => nowMs - atMs < RENEWALS_WINDOW_MS);
  const renewalsMs = [...recent, nowMs];
  return { state: { ...state, renewalsMs }, exhausted: renewalsMs.length >= RENEWALS_MAX };
}

function remember(before: LaneMemory | undefined, look: LaneLook, nowMs: number): LaneMemory {
  const { wanted, ends, paused } = look;
  const outside = wanted > ends.high || (wanted > 0n && wanted < ends.low);
  const waits = !paused && wanted < ends.high;
  const same = waits && before?.waits === true && before.wanted === wanted;
  return {
    wanted,
    waits,
    sinceMs: same ? before.sinceMs : nowMs,
    outside: outside ? (before?.outside ?? 0) + 1 : 0,
  };
}
