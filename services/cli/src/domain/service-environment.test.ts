import { expect, test } from '@jest/globals';
import { serviceEnvironment } from './service-environment.js';

test('what is the command line’s own never reaches a service', () => {
  const env = serviceEnvironment({ PATH: 'p', CONCORDAT_HOME: 'h' }, { CONCORDAT_MEMBER: 'de' });
  expect(env).toEqual({ ok: true, value: { PATH: 'p', CONCORDAT_MEMBER: 'de' } });
});

test('a setting of the shell that the home does not make is passed on, for the service to judge', () => {
  const env = serviceEnvironment({ CONCORDAT_LOG__LEVEL: 'debug' }, {});
  expect(env).toEqual({ ok: true, value: { CONCORDAT_LOG__LEVEL: 'debug' } });
});

test('a setting that both make must be the same', () => {
  const settings = { CONCORDAT_MEMBER: 'de', CONCORDAT_DATA_DIR: 'a' };
  expect(serviceEnvironment({ CONCORDAT_MEMBER: 'de' }, settings).ok).toBe(true);
  expect(serviceEnvironment({ CONCORDAT_DATA_DIR: 'b' }, settings)).toMatchObject({
    error: { code: 'CONFIG_INVALID', message: expect.stringContaining('CONCORDAT_DATA_DIR') },
  });
});

test('the brokers of the command line win over those of the shell', () => {
  const env = serviceEnvironment({ KAFKA_BROKERS: 'a:1' }, { KAFKA_BROKERS: 'b:2' });
  expect(env).toMatchObject({ value: { KAFKA_BROKERS: 'b:2' } });
});
