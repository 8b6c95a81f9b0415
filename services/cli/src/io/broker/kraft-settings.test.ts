import { expect, test } from '@jest/globals';
import { formatArguments, kraftSettings } from './kraft-settings.js';

const lines = kraftSettings({ port: 1001, controllerPort: 1002, logDir: 'C:\\x y' }).split('\n');

test('a local broker listens on the loopback only', () => {
  const listeners = lines.filter((line) => /^(advertised\.)?listeners=/.test(line));
  expect(listeners).toEqual([
    'listeners=PLAINTEXT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002',
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
  expect(lines).toContain(line);
});

test('a cluster id that begins with a dash is not taken for an option', () => {
  expect(formatArguments('-HQFwEjdTMKKhRv0RVNQ0w', 'server.properties')).toEqual([
    'format',
    '--cluster-id=-HQFwEjdTMKKhRv0RVNQ0w',
    '--config',
    'server.properties',
  ]);
});
