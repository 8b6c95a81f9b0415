import { expect, test } from '@jest/globals';
import { ConcordatError } from '../domain/errors.js';
import { type MemberId, asUnixMs } from '../domain/ids.js';
import { createLogger } from './logger.js';
import { systemClock } from './system-ports.js';

function capture() {
  const lines: string[] = [];
  const logger = createLogger({
    service: 'node',
    member: 'de' as MemberId,
    level: 'info',
    clock: { ...systemClock, nowMs: () => asUnixMs(Date.UTC(2026, 0, 2, 3, 4, 5, 6)) },
    stream: { write: (line) => lines.push(line) },
  });
  return { logger, read: (): unknown => JSON.parse(lines.join('')) };
}

test('a line carries level, ISO time, service, member, text and the named fields only', () => {
  const { logger, read } = capture();
  const fields = { count: 3, code: 'BEHIND', content: 'Jane Doe', authorization: 'x' };
  logger.debug('below the level');
  logger.info('caught up', fields);
  expect(read()).toEqual({
    level: 'info',
    time: '2026-01-02T03:04:05.006Z',
    service: 'node',
    member: 'de',
    msg: 'caught up',
    count: 3,
    code: 'BEHIND',
  });
});

test('an error of ours is logged with code and message', () => {
  const { logger, read } = capture();
  logger.warn('refused', { error: new ConcordatError('KEY_UNKNOWN', 'key abc') });
  expect(read()).toMatchObject({ code: 'KEY_UNKNOWN', error: 'key abc' });
});

test('an unexpected error is logged with kind and place, never with its message', () => {
  const { logger, read } = capture();
  const cause = new TypeError('cannot read Jane Doe\n    at Jane Doe');
  logger.error('failed', { error: new ConcordatError('INTERNAL', cause.message, { cause }) });
  const line = read();
  expect(line).toMatchObject({ code: 'INTERNAL', error: 'TypeError' });
  expect(JSON.stringify(line)).toContain('logger.test');
});
