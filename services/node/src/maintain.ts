import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import { type Federation, KeyRing } from '@concordat/common/domain/federation.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { lockDataDir } from '@concordat/common/io/store/data-dir.js';
import { type RestoreReport, restoreRows } from './flows/restore/restore-rows.js';
import { type Manifest, readManifest, writeBackup } from './io/backup/backup-file.js';
import { DataStore } from './io/data-store.js';
import { StateStore } from './io/state-store.js';

/** What is done to a node's files beside running it. */
export const MAINTENANCE = ['backup', 'restore'] as const;
export type Maintenance = (typeof MAINTENANCE)[number];

export interface MaintainSettings {
  readonly member: MemberId;
  readonly dataDir: string;
  readonly schemasDir: string;
  readonly federation: Federation;
}

/**
 * One line of JSON for the command line: `{"ok": …}`, or `{"error": {code, message}}`.
 *
 * @returns the line, and whether it worked
 */
export async function maintain(
  what: Maintenance,
  file: string,
  settings: MaintainSettings,
  nowMs: UnixMs,
): Promise<{ readonly line: string; readonly ok: boolean }> {
  const run = what === 'backup' ? backupNode : restoreNode;
  try {
    return { ok: true, line: JSON.stringify({ ok: await run(settings, file, nowMs) }) };
  } catch (cause) {
    const { code, message } = asConcordatError(cause);
    return { ok: false, line: JSON.stringify({ error: { code, message } }) };
  }
}

/**
 * Backs up the data of a node, whether it runs or not. Vault and state are never part of it.
 *
 * @throws ConcordatError REQUEST_INVALID for a file that is there, or a node that has no data
 */
export async function backupNode(
  { member, dataDir, federation }: MaintainSettings,
  file: string,
  nowMs: UnixMs,
): Promise<Manifest> {
  const store = join(dataDir, 'data.db');
  if (!existsSync(store)) {
    throw new ConcordatError(
      'REQUEST_INVALID',
      `${store}: expected the data of a node, came nothing`,
    );
  }
  return writeBackup(store, file, { federation: federation.federation, member, nowMs });
}

/**
 * Restores what a backup has, and this node may still hold, while it does not run.
 *
 * @throws ConcordatError BACKUP_INVALID, or DATA_DIR_LOCKED while the node runs; nothing is changed then
 */
export async function restoreNode(
  settings: MaintainSettings,
  file: string,
  nowMs: UnixMs,
): Promise<RestoreReport> {
  const manifest = await readManifest(file);
  demandOwn(manifest, settings);
  const { member: self, dataDir, federation, schemasDir } = settings;
  const lock = lockDataDir(dataDir);
  // a store's file changes when it is opened, and a backup must not
  const copy = join(dataDir, 'restoring.db');
  const opened: { close(): void }[] = [];
  const keep = <Store extends { close(): void }>(store: Store): Store => {
    opened.unshift(store);
    return store;
  };
  try {
    removeStore(copy);
    copyFileSync(file, copy);
    return restoreRows({
      ...{ self, nowMs, backupAt: manifest.at },
      codec: openRecordCodec(schemasDir),
      keys: new KeyRing(federation),
      data: keep(new DataStore(join(dataDir, 'data.db'))),
      state: keep(new StateStore(join(dataDir, 'state.db'))),
      backup: keep(new DataStore(copy)),
    });
  } finally {
    for (const store of opened) store.close();
    removeStore(copy);
    lock.release();
  }
}

function demandOwn({ member, federation }: Manifest, settings: MaintainSettings): void {
  const expected = `${settings.member} in ${settings.federation.federation}`;
  const came = `${member} in ${federation}`;
  if (expected === came) return;
  throw new ConcordatError(
    'BACKUP_INVALID',
    `expected a backup of ${expected}, came one of ${came}`,
  );
}

function removeStore(file: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true });
}
