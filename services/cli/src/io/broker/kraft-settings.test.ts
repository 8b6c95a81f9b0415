import { expect, test } from '@jest/globals';
import { type KraftPlace, jvmArguments, kraftSettings } from './kraft-settings.js';

const place: KraftPlace = {
  ...{ port: 1001, controllerPort: 1002 },
  ...{ listenOn: '127.0.0.1', logDir: 'C:\\x y' },
};

function listenersOf(of: KraftPlace): string[] {
  const lines = kraftSettings(of).split('\n');
  return lines.filter((line) => /^(advertised\.)?listeners=/.test(line));
}

test('a local broker listens on the loopback only', () => {
  expect(listenersOf(place)).toEqual([
    'listeners=PLAINTEXT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002',
    'advertised.listeners=PLAINTEXT://127.0.0.1:1001',
  ]);
});

test('one behind a published port listens for it, and still sends everybody to the loopback', () => {
  expect(listenersOf({ ...place, listenOn: '0.0.0.0' })).toEqual([
    'listeners=PLAINTEXT://0.0.0.0:1001,CONTROLLER://127.0.0.1:1002',
    'advertised.listeners=PLAINTEXT://127.0.0.1:1001',
  ]);
});

test.each([
  'auto.create.topics.enable=false',
  'unclean.leader.election.enable=false',
  'log.index.size.max.bytes=1048576',
  'offsets.topic.num.partitions=1',
  'group.initial.rebalance.delay.ms=0',
  'log.dirs=C:\\\\x y',
])('a local broker is set to %s', (line) => {
  expect(kraftSettings(place).split('\n')).toContain(line);
});

test('flags reach java as they are, quotes and spaces included', () => {
  expect(jvmArguments(["-Da=d'T'H", '-Db="c d"\\'])).toBe('"-Da=d\'T\'H"\n"-Db=\\"c d\\"\\\\"\n');
});
