import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ConcordatError } from '../domain/errors.js';
import { integerSetting, readConfig, secret, serviceSettings, textSetting } from './config.js';

const dir = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(dir, { recursive: true }));

const env = {
  CONCORDAT_MEMBER: 'de',
  CONCORDAT_FEDERATION_FILE: 'federation.json',
  CONCORDAT_DATA_DIR: 'data',
  CONCORDAT_GRPC__LISTEN: '127.0.0.1:7101',
  CONCORDAT_TLS__CERT_FILE: 'node.crt',
  CONCORDAT_TLS__KEY_FILE: 'node.key',
  CONCORDAT_SIGNING_KEY_FILE: 'node.pem',
  CONCORDAT_SCHEMAS_DIR: 'schemas',
  KAFKA_BROKERS: '127.0.0.1:9092,localhost:9093,[::1]:9094',
  HOME: 'not ours',
};
const own = serviceSettings({
  batch: integerSetting({ min: 1, max: 10 }).default(5),
  token: secret(textSetting('a token').optional()),
});

function failure(given: Record<string, string | undefined>): ConcordatError {
  try {
    readConfig(given, own);
  } catch (cause) {
    if (cause instanceof ConcordatError) return cause;
  }
  throw new Error('the settings were taken');
}

test('settings are read by name, with defaults', () => {
  expect(readConfig(env, own)).toEqual({
    member: 'de',
    profile: 'production',
    federationFile: 'federation.json',
    dataDir: 'data',
    grpc: { listen: '127.0.0.1:7101' },
    tls: { certFile: 'node.crt', keyFile: 'node.key' },
    signingKeyFile: 'node.pem',
    schemasDir: 'schemas',
    kafkaBrokers: ['127.0.0.1:9092', 'localhost:9093', '[::1]:9094'],
    log: { level: 'info' },
    shutdownGraceMs: 10_000,
    batch: 5,
  });
});

test('every bad, missing and unknown variable is named at once, and no value', () => {
  const { code, message } = failure({
    ...env,
    CONCORDAT_MEMBER: 'hunter2-X',
    CONCORDAT_DATA_DIR: undefined,
    CONCORDAT_GRPC__LISTEN: 'hunter2',
    CONCORDAT_PROFILE: 'hunter2',
    CONCORDAT_BATCH: '11',
    CONCORDAT_TLS__CERTFILE: 'hunter2',
    KAFKA_BROKERS: '',
  });
  expect(code).toBe('CONFIG_INVALID');
  expect(message.split('\n')).toEqual([
    '7 of the settings cannot be used:',
    '  CONCORDAT_BATCH: expected a whole number from 1 to 10, came a text of 2 characters',
    '  CONCORDAT_DATA_DIR: expected the path of a directory for this service alone, came nothing',
    '  CONCORDAT_GRPC__LISTEN: expected host:port to serve calls on, came a text of 7 characters',
    '  CONCORDAT_MEMBER: expected a member id of 2 to 8 lower-case letters, came a text of 9 characters',
    '  CONCORDAT_PROFILE: expected production or demo, came a text of 7 characters',
    '  CONCORDAT_TLS__CERTFILE: expected a setting of this service; the nearest is CONCORDAT_TLS__CERT_FILE',
    '  KAFKA_BROKERS: expected addresses host:port, with commas between, came an empty text',
  ]);
});

describe('Kafka in plaintext', () => {
  const remote = { ...env, KAFKA_BROKERS: 'localhost:9092,broker.example.org:9092' };

  test('is refused beyond loopback in profile production', () => {
    expect(failure(remote).message).toContain('KAFKA_BROKERS: expected loopback addresses');
  });

  test('is refused together with all other errors', () => {
    const { message } = failure({ ...remote, CONCORDAT_MEMBER: '' });
    expect(message).toContain('KAFKA_BROKERS');
    expect(message).toContain('CONCORDAT_MEMBER');
  });

  test('is taken in profile demo', () => {
    const config = readConfig({ ...remote, CONCORDAT_PROFILE: 'demo' }, own);
    expect(config.kafkaBrokers).toHaveLength(2);
  });

  test.each(['127.0.0.1.example.org:9092', 'localhost.example.org:1', '10.0.0.1:9092'])(
    'takes %s for another machine',
    (address) => {
      expect(failure({ ...env, KAFKA_BROKERS: address }).message).toContain('loopback');
    },
  );
});

describe('a secret', () => {
  const path = join(dir, 'token');
  writeFileSync(path, 'hunter2\n');

  test('may come from a file', () => {
    expect(readConfig({ ...env, CONCORDAT_TOKEN_FILE: path }, own)).toMatchObject({
      token: 'hunter2',
    });
  });

  test('may not come twice', () => {
    const { message } = failure({ ...env, CONCORDAT_TOKEN: 'a', CONCORDAT_TOKEN_FILE: path });
    expect(message).toContain('CONCORDAT_TOKEN_FILE: expected only one');
  });

  test('is missed when its file is', () => {
    const { message } = failure({ ...env, CONCORDAT_TOKEN_FILE: join(dir, 'none') });
    expect(message).toContain('CONCORDAT_TOKEN_FILE: expected the path of a readable file');
  });
});
