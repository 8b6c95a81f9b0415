import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryPath } from '../home.js';
import {
  INSIDE,
  containerPid,
  guardContainer,
  isContainerRunning,
  killContainer,
  newContainerName,
} from './container.js';
import { type DockerEngine, docker } from './docker-engine.js';
import { type BrokerRunner, START_SCRIPT, STOP_MS_MAX } from './runner.js';

const COMPOSE_FILE = repositoryPath('infra/compose/broker.yaml');
const COMPOSE_MS_MAX = 60_000;

/** Runs the broker in a container by Docker Compose. Its image is there. */
export function composeRunner({ network, user }: DockerEngine): BrokerRunner {
  return {
    way: 'docker',
    inWords: 'in a container (Docker Compose)',
    listenOn: network === 'host' ? '127.0.0.1' : '0.0.0.0',
    seenAs: () => INSIDE.directory,
    start: async ({ directory, port }) => {
      const name = newContainerName();
      const envFile = join(directory, 'compose.env');
      const variables = {
        ...{ BROKER_NAME: name, BROKER_USER: user, BROKER_PORT: String(port) },
        ...{ BROKER_DIR: directory, BROKER_START: START_SCRIPT },
      };
      await writeFile(envFile, envText(variables));
      const compose = (...args: string[]): Promise<string> => {
        const files = ['--env-file', envFile, '--file', COMPOSE_FILE];
        const all = ['compose', '--project-name', name, ...files, '--profile', network, ...args];
        return docker(all, COMPOSE_MS_MAX);
      };
      const release = guardContainer(name);
      const remove = async (): Promise<void> => {
        await compose('down', '--timeout', String(STOP_MS_MAX / 1000));
        release();
      };
      try {
        await compose('up', '--detach', '--pull', 'never', network);
      } catch (cause) {
        await remove();
        throw cause;
      }
      let isOver = false;
      return {
        pid: await containerPid(name, network),
        isRunning: () => isContainerRunning(name),
        end: async (signal) => {
          if (isOver) return;
          isOver = true;
          if (signal === 'SIGKILL') await killContainer(name);
          await remove();
        },
      };
    },
  };
}

/** Single quotes keep `$` and spaces as they are. */
function envText(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}='${value.replaceAll("'", String.raw`\'`)}'\n`)
    .join('');
}
