import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { UnSnapshot } from '@concordat/cli/domain/un-list/entry.js';
import { toSnapshot } from '@concordat/cli/domain/un-list/snapshot.js';
import { parseXml } from '@concordat/cli/io/un-list-xml.js';
import { REPOSITORY } from '../../support/repository.js';

const DIR = join(REPOSITORY, 'test/data/un-sanctions-cut');

/** Parts of the UN's lists of three days, the oldest first. */
export function readUnLists(): UnSnapshot[] {
  const files = readdirSync(DIR).filter((name) => name.endsWith('.xml'));
  return files.sort().map((name) => {
    const document = parseXml(readFileSync(join(DIR, name), 'utf8'));
    const list = document.ok ? toSnapshot(document.value) : document;
    if (!list.ok) throw list.error;
    return list.value;
  });
}
