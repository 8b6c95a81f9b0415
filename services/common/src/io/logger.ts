import { type DestinationStream, destination, pino } from 'pino';
import { ConcordatError } from '../domain/errors.js';
import type { MemberId, ServiceName } from '../domain/ids.js';
import type { Clock } from '../domain/ports.js';

/**
 * All that a log line may say besides its text; anything else handed in is dropped. Nothing here can hold content:
 * ids, codes, places and counts only.
 */
export interface LogFields {
  readonly address?: string;
  readonly attempt?: number;
  readonly caller?: string;
  readonly category?: string;
  readonly code?: string;
  readonly count?: number;
  readonly counts?: Readonly<Record<string, number>>;
  readonly durationMs?: number;
  readonly eventId?: string;
  readonly lane?: number;
  readonly offset?: string;
  readonly orderId?: string;
  readonly origin?: string;
  readonly outcome?: string;
  readonly partition?: number;
  readonly path?: string;
  readonly peer?: string;
  readonly reason?: string;
  readonly topic?: string;
  /** Its code; its message too if it is one of ours; of an unexpected one the kind and the place in the code. */
  readonly error?: unknown;
}

const ALLOWED = [
  'address',
  'attempt',
  'caller',
  'category',
  'code',
  'count',
  'counts',
  'durationMs',
  'eventId',
  'lane',
  'offset',
  'orderId',
  'origin',
  'outcome',
  'partition',
  'path',
  'peer',
  'reason',
  'topic',
] as const satisfies readonly (keyof LogFields)[];

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** `text` is a fixed sentence of the program; what varies goes into the fields. */
export type Log = (text: string, fields?: LogFields) => void;
export type Logger = Readonly<Record<LogLevel, Log>>;

/** An unexpected error's own message may quote what it stumbled over, so it stays out. */
function describe(error: unknown): Readonly<Record<string, string>> {
  if (error instanceof ConcordatError && error.code !== 'INTERNAL') {
    return { code: error.code, error: error.message };
  }
  const cause = error instanceof ConcordatError ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return { code: 'INTERNAL', error: typeof cause };
  const frames = (cause.stack ?? '').split('\n').filter((frame) => /^\s+at /.test(frame));
  const places = frames.slice(0, 8).map((frame) => frame.trim());
  return { code: 'INTERNAL', error: cause.name, stack: places.join('; ') };
}

function picked({ error, ...given }: LogFields): Readonly<Record<string, unknown>> {
  const found = ALLOWED.filter((name) => given[name] !== undefined);
  const fields = Object.fromEntries(found.map((name) => [name, given[name]]));
  return error === undefined ? fields : { ...fields, ...describe(error) };
}

const STDERR = 2;

/** One JSON line for each call, on stderr unless told otherwise; the time is ISO 8601 in UTC. */
export function createLogger(options: {
  readonly service: ServiceName | 'cli';
  readonly member: MemberId | undefined;
  readonly level: LogLevel;
  readonly clock: Clock;
  readonly stream?: DestinationStream;
}): Logger {
  const { service, member, level, clock } = options;
  const log = pino(
    {
      level,
      base: member === undefined ? { service } : { service, member },
      timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.stream ?? destination({ fd: STDERR, sync: true }),
  );
  const at =
    (name: LogLevel): Log =>
    (text, fields = {}) =>
      log[name](picked(fields), text);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
