import type {
  Assign,
  History,
  LogKind,
  Order,
  Outcome,
  Place,
  Poll,
  Reading,
  Send,
} from '../checker/history.js';

/** Where everybody writes down what they saw, in the order in which they saw it. */
export class Book {
  readonly sends: Send[] = [];
  readonly polls: (Assign | Poll)[] = [];
  readonly logs = new Map<string, LogKind>();
  readonly owners = new Map<string, string>();
  readonly readings: Reading[] = [];
  readonly acknowledged = new Set<string>();
  /** by event, the digest of what was published, by which a reader knows it again */
  readonly contents = new Map<string, string>();
  /** nobody reads it any more: whoever writes into it stops */
  isClosed = false;
  readonly #tainted = new Set<string>();

  send(
    process: string,
    event: string,
    outcome: Outcome,
    at?: { place: Place; repeated: boolean },
  ): void {
    this.sends.push({ process, event, outcome, ...at });
    if (outcome === 'ok') this.acknowledged.add(event);
  }

  assign(log: string, kind: LogKind, reader: string, after: number): void {
    this.logs.set(log, kind);
    this.polls.push({ kind: 'assign', log, reader, after });
  }

  poll(log: string, reader: string, values: Poll['values']): void {
    this.polls.push({ kind: 'poll', log, reader, values });
  }

  /** From now on nothing is asked of this lane: its broker was robbed of what it had. */
  taint(log: string): void {
    this.#tainted.add(log);
  }

  history(orders: readonly Order[]): History {
    const { sends, logs, owners, readings } = this;
    const polls = this.polls.filter(({ log }) => !this.#tainted.has(log));
    return { sends, polls, logs, owners, readings, orders };
  }
}
