import type { EventId } from '@concordat/common/domain/ids.js';
import { DE, UN } from '../../support/node-world.js';
import { chainProblem, ledgerLink, receiptLink } from '../../support/whole-chain.js';
import type { SimulatedNode } from '../node.js';
import { takes, takesAll } from './orders.js';
import type { EagerEntry } from './story.js';
import { SECTION, eventsOfRace } from './template.js';
import type { RaceWorld } from './world.js';

/** Has everything that was begun come to its end? */
export function isQuiet(world: RaceWorld): boolean {
  if (!world.origin.isServing || !world.recipient.isServing || world.isBusy) return false;
  return world.atRecipient.applied === world.entries.length && leftOver(world) === '';
}

/** What is still to come, in words. */
export function leftOver(world: RaceWorld): string {
  return world.atRecipient.unfinished(eventsOfRace, world.receiptsSent);
}

/** A number has one text only, and none is missing, however often they were sent. */
function demandChains(world: RaceWorld): void {
  const { members } = world.template.world;
  const chains = new Map([
    ['ledger.un', ledgerLink(members, UN)],
    ['receipts.de.un', receiptLink(members, DE)],
  ]);
  for (const [topic, linkOf] of chains) {
    const { records } = world.log.lane(topic, 0);
    const problem = chainProblem(records, linkOf);
    if (problem !== undefined) world.violated(`${topic}: ${problem}`);
    const texts = new Set(records.map(({ value }) => Buffer.from(value).toString('base64')));
    if (texts.size < records.length) {
      world.reached('a broker that did not answer has the record, and gets it twice');
    }
  }
}

/** The same end whatever the order: what is purged is gone, and everything else is read. */
export async function demandEnd(world: RaceWorld, eager: readonly EagerEntry[]): Promise<void> {
  demandChains(world);
  world.atOrigin.demandHolders();
  world.atRecipient.demandAllGone(world.recipient.files(), 'at the end');
  for (const id of eventsOfRace) {
    const sealed = world.orders.filter((one) => one.sealedAt !== undefined);
    const isSealed = sealed.some((one) => takesAll(one, id));
    await demandOutcome(world, world.origin, id, isSealed ? 'PURGED' : 'all');
    const isTaken = (section: string): boolean =>
      sealed.some((one) => takes(one, { recipient: DE, id, section })) ||
      eager.some((one) => one.id === id && isSectionOf(one.sections, section));
    const expected = isTaken('identity') ? 'PURGED' : isTaken(SECTION) ? 'rest' : 'all';
    await demandOutcome(world, world.recipient, id, expected);
  }
}

async function demandOutcome(
  world: RaceWorld,
  node: SimulatedNode,
  id: EventId,
  expected: 'PURGED' | 'all' | 'rest',
): Promise<void> {
  let came = await world.scheduler.drive(world.read(node, id));
  for (let tries = 0; came === 'NOT_FRESH' && tries < 20; tries += 1) {
    came = await world.scheduler.drive(world.read(node, id));
  }
  const all = [...(world.template.ciphertexts.get(id)?.keys() ?? [])].sort();
  const wanted = expected === 'rest' ? all.filter((name) => name !== SECTION) : all;
  const text = typeof came === 'string' ? came : [...came].sort().join(' ');
  if (text === (expected === 'PURGED' ? expected : wanted.join(' '))) return;
  world.violated(`at the end ${node.member} has ${id}: expected ${expected}, came ${text}`);
}

function isSectionOf(sections: readonly string[], section: string): boolean {
  return sections.length === 0 || sections.includes(section);
}
