import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import type { Command } from 'commander';
import { timeText } from '../domain/time-text.js';
import { ordersOf } from '../io/orders-of.js';
import { DOORS, withClient } from '../io/session.js';
import {
  type MemberOptions,
  type Surroundings,
  asMember,
  orderArgument,
  surroundings,
  usageError,
} from './options.js';
import type { World } from './world.js';

/** Stands in the place of a receipt's stage. */
const ERASED = 'MEDIA_ERASED';

interface ReceiptOptions extends MemberOptions {
  readonly out?: string;
}

export function addReceiptsCommand(purge: Command, world: World): void {
  asMember(purge.command('receipts'), world)
    .description('what the holders have signed so far, a line for each statement')
    .argument('<order>', 'an order, or the first one of a purge', orderArgument)
    .option('--out <dir>', 'write each of them there as DSSE JSON')
    .action(async (orderId: OrderId, options: ReceiptOptions, command: Command) =>
      receipts(orderId, options, surroundings(world, command)),
    );
}

async function receipts(
  first: OrderId,
  options: ReceiptOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const found = await withClient(options, DOORS.purge, async (revocation) => {
    const signed = [];
    for (const { orderId } of await ordersOf(revocation, first, call)) {
      const answer = await revocation.receipts({ orderId }, call);
      signed.push(
        ...answer.receipts.map((receipt) => ({ orderId, ...receipt, level: '' })),
        ...answer.mediaErasures.map(({ number, ...erased }) => ({
          // of the holder's chain: it answers no single entry
          ...{ orderId, ...erased, entryNumber: number, stage: ERASED, events: 0, children: [] },
        })),
      );
    }
    return signed;
  });
  const { out } = options;
  if (out !== undefined) await writeAll(out, found);
  print.list(
    found.map(({ dsseJson: _dsseJson, receivedAtMs, ...receipt }) => ({
      ...receipt,
      receivedAt: timeText(receivedAtMs),
    })),
    {
      member: ({ member }) => member,
      entry: ({ stage, entryNumber }) => (stage === ERASED ? '' : entryNumber),
      stage: ({ stage, level }) => (level === '' ? stage : `${stage}, ${level}`),
      events: ({ stage, events }) => (stage === ERASED ? '' : events),
      derived: ({ children }) => derivedText(children),
      'received at': ({ receivedAt }) => receivedAt,
      order: ({ orderId }) => orderId,
    },
  );
}

/** `1 PURGED`, or `2 OPEN, 1 PURGED`; empty when nothing was derived. */
function derivedText(children: readonly { readonly state: string }[]): string {
  const states = grouped(children, ({ state }) => state);
  return [...states].map(([state, some]) => `${some.length} ${state}`).join(', ');
}

async function writeAll(
  dir: string,
  found: readonly {
    readonly member: string;
    readonly entryNumber: number;
    readonly stage: string;
    readonly dsseJson: string;
  }[],
): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
    for (const { member, entryNumber, stage, dsseJson } of found) {
      const open = stage === 'OPEN' ? '-open' : '';
      const kind = stage === ERASED ? 'media-erased' : 'receipt';
      await writeFile(join(dir, `${kind}-${member}-${entryNumber}${open}.json`), `${dsseJson}\n`);
    }
  } catch (cause) {
    throw usageError(
      `--out: expected a directory that can be written, came ${asConcordatError(cause).code}`,
    );
  }
}
