import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { homeSettings } from '../../io/home.js';
import { maintainNode } from '../../io/maintain-node.js';
import { insist, waitFor } from '../patience.js';
import { refusalOf } from '../read-back.js';
import { ORIGIN } from '../scenario.js';
import { ASK } from '../settle.js';
import type { DemoScene, SceneStage } from './scene.js';
import {
  DE,
  certificateOf,
  clientsOf,
  nodeOf,
  readByBoth,
  takeBack,
  untilClosed,
} from './take-back.js';

const TAKEN_BACK = 2;

/** A backup is older than a purge, and all that is left of a node's data. */
export const restoredBackup: DemoScene = {
  name: 'restoredBackup',
  title: 'A node loses its data, and an old backup is put back',
  play: async (stage) => {
    const { story, clock } = stage.ports;
    const file = join(stage.places.backupsDir, 'de.db');
    await mkdir(stage.places.backupsDir, { recursive: true });
    const before = await readable(stage);
    await maintainNode('backup', file, environmentOf(stage));
    const gone = await readByBoth(stage, TAKEN_BACK);
    const orderId = await takeBack(stage, gone);
    await untilClosed(stage, orderId);
    story.line(`${DE} backs up, then ${String(gone.length)} events are taken back`);
    const node = nodeOf(stage, DE);
    await node.stop();
    for (const end of ['', '-wal', '-shm']) {
      await rm(join(stage.places.dataDir(DE, 'node'), `data.db${end}`), { force: true });
    }
    const report = await maintainNode('restore', file, environmentOf(stage));
    const { events, restored, filtered } = report as unknown as Restored;
    const why = Object.fromEntries(Object.entries(filtered).filter(([, count]) => count > 0));
    story.line(
      `the backup has ${String(events)} events; put back: ${String(restored.waiting)}; left out: ${JSON.stringify(why)}`,
    );
    node.start();
    await waitFor(clock, async () => {
      const count = await readable(stage);
      return count < restored.waiting ? `${DE} reads ${String(count)} events` : undefined;
    });
    const after = await readable(stage);
    const refusals = await Promise.all(
      gone.map(({ id }) => refusalOf(clock, clientsOf(stage, DE), id)),
    );
    const readAgain = refusals.filter((code) => code !== 'PURGED').length;
    const certificate = await certificateOf(stage, orderId);
    story.line(
      `readable before: ${String(before)}; now: ${String(after)}; of what was taken back: ${String(readAgain)}`,
    );
    const shown =
      [before - TAKEN_BACK, restored.waiting].every((count) => count === after) &&
      [readAgain === 0, filtered['PURGED'] === TAKEN_BACK].every(Boolean) &&
      certificate === 'complete';
    return {
      ...{ shown, member: DE, takenBack: TAKEN_BACK, inBackup: events, putBack: restored.waiting },
      ...{ leftOut: why, readable: { before, after }, readAgain, certificate },
    };
  },
};

/** What the node's own program says about a restore. */
interface Restored {
  readonly events: number;
  readonly restored: { readonly waiting: number };
  readonly filtered: Readonly<Record<string, number>>;
}

function environmentOf({ federation, places, broker }: SceneStage) {
  const member = federation.members.find(({ id }) => id === DE);
  if (!member) throw new ConcordatError('INTERNAL', `expected ${DE} in the federation`);
  const brokers = broker.brokers.join(',');
  return homeSettings({ home: places.dir, member, service: 'node', brokers, profile: 'demo' });
}

async function readable(stage: SceneStage): Promise<number> {
  const { operator } = clientsOf(stage, DE);
  const { partners } = await insist(stage.ports.clock, () => operator.status({}, ASK));
  return partners.find(({ member }) => member === ORIGIN)?.readable ?? 0;
}
