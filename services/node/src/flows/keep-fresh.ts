import type { Head } from '@concordat/common/domain/chain.js';
import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { FreshnessAnswer } from '@concordat/common/domain/records.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { purgeTopic } from '@concordat/common/domain/topics.js';
import { type FreshAnswer, type Freshness, freshness } from '../domain/freshness.js';
import { momentOf } from '../domain/moment.js';
import type { OriginTime } from '../domain/retention-time.js';
import type { NodeContext } from './context.js';

const NONCE_BYTES = 32;
/** A reader waits this long for a purge ledger that is just behind. */
const BEHIND_WAIT_MS = 1_000;
const RETRY_MS = 100;

/** Sends a nonce to an origin's revocation service; fails with a ConcordatError. */
export type AskFreshness = (nonce: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

/** Knows whether an origin's content may be read: every purge entry applied up to a head that is fresh. */
export class FreshnessKeeper {
  readonly #context: NodeContext;
  readonly #origin: MemberId;
  readonly #ask: AskFreshness;
  readonly #everyMs: number;
  readonly #chain: string;
  readonly #closing = new AbortController();
  readonly #waiters = new Set<() => void>();
  #answer: FreshAnswer | undefined;
  #originTime: OriginTime | undefined;
  #asking: Promise<void> | undefined;
  #loop: Promise<void> | undefined;
  readonly #onBehind: (head: number) => void;
  /** what was applied when an answer last found this node behind */
  #appliedBefore: number | undefined;

  /** @param options.onBehind told when answers name a head, and from one to the next nothing was applied */
  constructor(
    context: NodeContext,
    origin: MemberId,
    options: {
      readonly ask: AskFreshness;
      readonly everyMs: number;
      readonly onBehind: (head: number) => void;
    },
  ) {
    this.#context = context;
    this.#origin = origin;
    this.#ask = options.ask;
    this.#everyMs = options.everyMs;
    this.#onBehind = options.onBehind;
    this.#chain = purgeTopic({ origin, recipient: context.self });
  }

  start(): void {
    this.#loop = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
  }

  /** Call after purge entries were applied: readers that wait for them go on. */
  applied(): void {
    for (const wake of this.#waiters) wake();
  }

  /** The newest entry that is known of: from an answer, or read already and stopped at for a gap before it. */
  get head(): number {
    return Math.max(this.#answer?.head ?? 0, this.#context.state.chains.newestNumber(this.#chain));
  }

  /** The origin's clock, as its newest answer says; undefined before the first. */
  get originTime(): OriginTime | undefined {
    return this.#originTime;
  }

  get appliedNumber(): number {
    return this.#followed().number;
  }

  state(): Freshness {
    const answer = this.#answer && { ...this.#answer, head: this.head };
    return freshness(answer, this.appliedNumber, momentOf(this.#context.clock));
  }

  #followed(): Head {
    return this.#context.state.chains.followedHead(this.#chain);
  }

  /**
   * Waits up to a second for an answer, or for entries just behind.
   *
   * @throws ConcordatError NOT_FRESH or BEHIND, with what to do
   */
  async demandFresh(): Promise<'FRESH' | 'WARN'> {
    const { clock } = this.#context;
    const untilMs = clock.monotonicMs() + BEHIND_WAIT_MS;
    for (;;) {
      const state = this.state();
      if (state === 'FRESH' || state === 'WARN') return state;
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= 0) throw this.#refusal(state);
      if (state === 'NOT_FRESH') void this.#refresh();
      await this.#wait(leftMs);
    }
  }

  async #wait(ms: number): Promise<void> {
    const done = new AbortController();
    const wake = (): void => done.abort();
    this.#waiters.add(wake);
    await this.#context.clock.sleep(ms, done.signal).catch(() => undefined);
    this.#waiters.delete(wake);
  }

  #refusal(state: 'NOT_FRESH' | 'BEHIND'): ConcordatError {
    if (state === 'BEHIND') {
      const expected = `expected purge entries up to ${String(this.head)}`;
      const text = `${expected}, applied ${String(this.appliedNumber)}: try again shortly`;
      return new ConcordatError('BEHIND', `${this.#origin}: ${text}`);
    }
    return new ConcordatError(
      'NOT_FRESH',
      `${this.#origin}: its revocation service has not answered a nonce within 4 h or since the start: is it up?`,
    );
  }

  async #run(): Promise<void> {
    const { clock } = this.#context;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#refresh();
      this.#lookBehind();
      await clock.sleep(this.#everyMs, signal).catch(() => undefined);
    }
  }

  /** Entries that the topic lost, the last ones of the chain above all, leave no trace but the origin's word. */
  #lookBehind(): void {
    const { head } = this;
    const applied = this.appliedNumber;
    const isBehind = applied < head;
    if (isBehind && applied === this.#appliedBefore) this.#onBehind(head);
    this.#appliedBefore = isBehind ? applied : undefined;
  }

  #refresh(): Promise<void> {
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askOnce(): Promise<void> {
    const { clock, random, warn } = this.#context;
    const { signal } = this.#closing;
    const nonce = random.bytes(NONCE_BYTES);
    const sentAt = momentOf(clock);
    try {
      const bytes = await this.#ask(nonce, signal);
      if (signal.aborted) return;
      const { head, timeMs } = this.#checkAnswer(bytes, nonce);
      this.#originTime = { saidMs: timeMs, heardAt: clock.monotonicMs() };
      this.#answer = { sentAt, head: Math.max(head, this.#answer?.head ?? 0) };
      this.applied();
    } catch (cause) {
      if (signal.aborted) return;
      const error = asConcordatError(cause);
      warn(error.code, `freshness of ${this.#origin}: ${error.message}`);
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }

  /** @returns the head's number, and the time, that the origin signed for this nonce and this node */
  #checkAnswer(bytes: Uint8Array, nonce: Uint8Array): Pick<FreshnessAnswer, 'head' | 'timeMs'> {
    const { codec, keys, self, state } = this.#context;
    const answer = verifyStatement(codec, keys, 'FreshnessAnswer', bytes, { signer: this.#origin });
    if (!answer.ok) throw answer.error;
    const { recipient, nonce: echoed, epoch, head, headHash, timeMs } = answer.value.value;
    if (recipient !== self || !equalBytes(echoed, nonce)) {
      throw new ConcordatError('NOT_ADDRESSED_HERE', 'an answer to another nonce or member');
    }
    if (epoch !== this.#followed().epoch) {
      throw new ConcordatError('CHAIN_BROKEN', 'an answer about another epoch of the purge ledger');
    }
    const seen = state.chains.seenHash(this.#chain, epoch, head);
    if (seen && !equalBytes(seen, headHash)) {
      const text = `the purge ledger's entry ${String(head)} is another one than was read here`;
      throw new ConcordatError('EQUIVOCATION', text);
    }
    return { head, timeMs };
  }
}
