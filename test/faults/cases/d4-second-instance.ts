import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { freePort } from '@concordat/cli/io/free-ports.js';
import { RECIPIENTS } from '../stage/federation.js';
import { spawnService } from '../stage/supervised.js';
import type { World } from '../world.js';
import { areTold, demand, publishSome, until } from './case.js';

const REFUSED = 'DATA_DIR_LOCKED';

/** Two processes on one data directory: the second is refused, and the first works on. */
export async function secondInstance(world: World): Promise<void> {
  const [member] = RECIPIENTS;
  const first = world.stage.service(member, 'node');
  const { pid } = first;
  const { main, env, logFile } = first.plan;
  const log = `${logFile}.second`;
  const address = `127.0.0.1:${String(await freePort())}`;
  const second = spawnService({
    main,
    env: { ...env, CONCORDAT_GRPC__LISTEN: address },
    logFile: log,
  });
  await once(second, 'exit');
  demand('the second to end with a failure', second.exitCode !== 0 && second.exitCode !== null);
  demand(`${REFUSED} in its log`, (await readFile(log, 'utf8')).includes(REFUSED));
  const events = await publishSome(world, 'beside-a-second', 50);
  await until('the first works on', () => areTold(world, member, events));
  demand('the first to be the same process', first.pid === pid);
}
