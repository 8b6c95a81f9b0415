import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { repositoryPath } from '../home.js';
import { KAFKA_IMAGE, engineOf } from './docker-engine.js';

const SOCKET = 'unix:///var/run/docker.sock';
const DEBIAN = '28.2.2;Debian GNU/Linux 12 (bookworm);["name=seccomp,profile=default"]';
const DESKTOP = '28.2.2;Docker Desktop;["name=seccomp,profile=unconfined"]';
const ROOTLESS = '28.2.2;Ubuntu 24.04.2 LTS;["name=seccomp,profile=default","name=rootless"]';

test.each([
  ['an engine of this machine', DEBIAN, SOCKET, 'linux', 'host'],
  ['an engine of another machine', DEBIAN, 'tcp://10.1.2.3:2376', 'linux', 'published'],
  ['an engine in a virtual machine', DEBIAN, SOCKET, 'darwin', 'published'],
  ['Docker Desktop', DESKTOP, SOCKET, 'linux', 'published'],
  ['a rootless engine', ROOTLESS, SOCKET, 'linux', 'published'],
] as const)(
  '%s: the broker is reached by its network: %#',
  (_name, info, at, platform, network) => {
    expect(engineOf(info, at, platform)).toMatchObject({ network, address: at });
  },
);

test('files in the directory of the broker belong to us', () => {
  const own = `${String(process.getuid?.())}:${String(process.getgid?.())}`;
  expect(engineOf(DEBIAN, SOCKET, 'linux').user).toBe(own);
  expect(engineOf(ROOTLESS, SOCKET, 'linux').user).toBe('0:0');
});

test('image, Compose file and jars are of one version', () => {
  const version = KAFKA_IMAGE.split(':')[1] ?? '';
  const pom = readFileSync(repositoryPath('infra/kafka/pom.xml'), 'utf8');
  const compose = readFileSync(repositoryPath('infra/compose/broker.yaml'), 'utf8');
  expect(pom).toContain(`<kafka.version>${version}</kafka.version>`);
  expect(compose).toContain(`image: ${KAFKA_IMAGE}\n`);
});
