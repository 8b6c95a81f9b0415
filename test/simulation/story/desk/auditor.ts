import { sha256 } from '@concordat/common/domain/bytes.js';
import { verifyLedgerFile } from '@concordat/common/domain/ledger-file.js';
import { merkleRoot } from '@concordat/common/domain/merkle.js';
import { consistencyPath, isConsistent } from '@concordat/common/domain/merkle-consistency.js';
import { ledgerTopic, purgeTopic } from '@concordat/common/domain/topics.js';
import { MEMBERS } from '../../world/federation.js';
import type { Actor } from '../actor.js';

/** Of a ledger: what is read of it at a time. */
const RECORDS_MAX = 60;

/** Somebody with public keys only: copies ledgers as they are on their topics, and checks them as files. */
export const auditor: Actor = {
  name: 'audits ledgers',
  weight: 1,
  act: async (world, draw) => {
    const origin = draw.pick(MEMBERS);
    const recipient = draw.pick(MEMBERS.filter((id) => id !== origin));
    const topic = draw.chance(50) ? ledgerTopic(origin) : purgeTopic({ origin, recipient });
    if (!world.log.reachable || !world.log.has(topic)) return;
    const { records } = world.log.lane(topic, 0);
    const values = records.slice(0, RECORDS_MAX).map(({ value }) => value);
    const { codec } = world.template.schemas;
    const file = verifyLedgerFile(codec, world.federation.keys, values, RECORDS_MAX);
    const what = file.ok ? `${String(file.value.missing.length)} gaps` : file.error.code;
    world.scheduler.note(`an auditor reads ${topic}: ${what}`);
    const leaves = values.map((value) => sha256(value));
    if (leaves.length === 0) return;
    const size = draw.whole(1, leaves.length);
    const earlier = leaves.slice(0, size);
    const isContinued = isConsistent({
      ...{ size1: size, root1: merkleRoot(earlier) },
      ...{ size2: leaves.length, root2: merkleRoot(leaves) },
      path: consistencyPath(leaves, size),
    });
    if (!isContinued)
      world.violated(`an auditor's copy of ${topic} is not continued by a later one`);
  },
};
