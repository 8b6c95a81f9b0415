import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import { backupNode, restoreNode } from '@concordat/node/maintain.js';
import { schemasDir } from '../../support/federation.js';
import { fastTmp, filesIn, writeFiles } from '../disk.js';
import { MEMBERS } from '../world/federation.js';
import type { World } from '../world/world.js';
import type { Fault } from './fault.js';

interface Backup {
  readonly member: MemberId;
  readonly files: ReadonlyMap<string, Uint8Array>;
}
const kept = new WeakMap<World, Backup[]>();

const settingsOf = (world: World, member: MemberId, dataDir: string) => ({
  ...{ member, dataDir, schemasDir, federation: world.federation.federation },
});

/** Does something to a node's files beside running it, in a directory of their own. */
async function beside<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(fastTmp, 'concordat-beside-'));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** `concordat node backup`, of a node that runs or does not. */
export const BACKUP: Fault = {
  name: 'backup',
  canHappen: (world) => (kept.get(world)?.length ?? 0) < 6,
  happen: (world, draw) => {
    const member = draw.pick(MEMBERS);
    const files = world.service(member, 'node').files();
    if (!files.has('data.db')) return;
    world.begin('a backup', () =>
      beside(async (dir) => {
        writeFiles(join(dir, 'node'), files);
        const file = join(dir, 'backup');
        const settings = settingsOf(world, member, join(dir, 'node'));
        await backupNode(settings, file, asUnixMs(world.nowMs));
        rmSync(join(dir, 'node'), { recursive: true });
        kept.set(world, [...(kept.get(world) ?? []), { member, files: filesIn(dir) }]);
      }),
    );
  },
};

/** `concordat node restore` of any old backup, over what is there or after the loss of the data. */
export const RESTORE: Fault = {
  name: 'restore',
  canHappen: (world) => (kept.get(world)?.length ?? 0) > 0,
  happen: (world, draw) => {
    const { member, files: backup } = draw.pick(kept.get(world) ?? []);
    const node = world.service(member, 'node');
    const isLost = draw.chance(50);
    const name = node.name;
    if (world.keptDown.has(name)) return;
    world.keptDown.add(name);
    if (world.hasOpenOrder(member)) world.reached('a backup is restored during a purge');
    node.kill();
    world.scheduler.note(`${name} is restored from a backup${isLost ? ', its data is lost' : ''}`);
    world.begin('a restore', () =>
      beside(async (dir) => {
        const dataDir = join(dir, 'node');
        const left = [...node.files()].filter(([file]) => !isLost || !file.startsWith('data.db'));
        writeFiles(dir, backup);
        writeFiles(dataDir, new Map(left));
        try {
          const settings = settingsOf(world, member, dataDir);
          const report = await restoreNode(settings, join(dir, 'backup'), asUnixMs(world.nowMs));
          if (report.filtered.PURGED > 0) world.reached('a restore leaves out what is purged');
          if (report.filtered.RETENTION > 0) world.reached('a restore leaves out what has ended');
          if (report.restored.waiting > 0) world.reached('a restore brings events back');
          node.restore(filesIn(dataDir));
        } catch (cause) {
          world.violated(`a restore fails: ${asConcordatError(cause).message}`);
        }
        world.keptDown.delete(name);
      }),
    );
  },
};
