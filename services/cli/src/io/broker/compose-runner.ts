import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryPath } from '../home.js';
import { INSIDE, beginContainer } from './container.js';
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
    start: ({ directory, port }) => {
      const envFile = join(directory, 'compose.env');
      const compose = (name: string, ...args: string[]): Promise<string> => {
        const files = ['--env-file', envFile, '--file', COMPOSE_FILE];
        const all = ['compose', '--project-name', name, ...files, '--profile', network, ...args];
        return docker(all, COMPOSE_MS_MAX);
      };
      return beginContainer({
        network,
        begin: async (name) => {
          const variables = {
            ...{ BROKER_NAME: name, BROKER_USER: user, BROKER_PORT: String(port) },
            ...{ BROKER_DIR: directory, BROKER_START: START_SCRIPT },
          };
          await writeFile(envFile, envText(variables));
          await compose(name, 'up', '--detach', '--pull', 'never', network);
        },
        remove: async (name) => {
          await compose(name, 'down', '--timeout', String(STOP_MS_MAX / 1000));
        },
      });
    },
  };
}

/** Single quotes keep `$` and spaces as they are. */
function envText(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}='${value.replaceAll("'", String.raw`\'`)}'\n`)
    .join('');
}
