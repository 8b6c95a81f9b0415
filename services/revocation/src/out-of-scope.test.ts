import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import { eventId } from '../../../test/support/origin.js';
import { DE, FR, RevocationWorld, UN } from '../../../test/support/revocation.js';
import { until } from '../../../test/support/until.js';
import type { ScopePage, ScopeSource } from './flows/context.js';

let world: RevocationWorld;
beforeEach(() => {
  world = new RevocationWorld();
});
afterEach(() => world.dispose());

const ids = (from: number, to: number): EventId[] =>
  Array.from({ length: to - from + 1 }, (_, n) => eventId(from + n));

/** A node that was asked so often, and answers with these pages until the caller has looked through. */
class Source implements ScopeSource {
  asked = 0;
  pages: (after: number) => ScopePage = () => ({ standing: 'p1', losses: [], next: 0 });

  scopeLosses = async ({
    knownStanding,
    after,
  }: {
    readonly knownStanding: string;
    readonly after: number;
  }): Promise<ScopePage> => {
    this.asked += 1;
    const page = this.pages(after);
    return page.standing === knownStanding ? { ...page, losses: [], next: 0 } : page;
  };
}

const scopeOf = () => world.calls.purge.scope({}, world.as(UN));
const orders = async () => (await world.list()).orders;
async function askedOften(source: Source): Promise<void> {
  const before = source.asked;
  await until('it was asked again', () => source.asked > before + 3);
}
const refuse = async (): Promise<never> => {
  throw new ConcordatError('ORDER_INVALID', 'nothing of it left scope');
};

test('a node that fails, or whose answer moves while it is read, orders nothing', async () => {
  const source = new Source();
  source.pages = () => {
    throw new ConcordatError('PEER_UNAVAILABLE', 'away');
  };
  await world.start({ scope: source });
  await askedOften(source);
  let standing = 0;
  source.pages = (after) => ({
    standing: `p${String((standing += 1))}`,
    losses: [{ recipient: FR, sections: [], ids: [eventId(1)] }],
    next: after === 0 ? 7 : 0,
  });
  await askedOften(source);
  expect(await orders()).toEqual([]);
  expect(await scopeOf()).toMatchObject({ doneStanding: '', waitingStanding: '' });
  expect(world.deaths).toEqual([]);
});

test('an order that its node refuses is over, and what is lost is ordered anew', async () => {
  const source = new Source();
  source.pages = () => ({
    standing: 'p2',
    losses: [{ recipient: FR, sections: ['remarks'], ids: [eventId(1)] }],
    next: 0,
  });
  await world.start({ scope: source, node: { destroyKeys: refuse } });
  await until('it is bounded', async () => (await orders()).length === 16);
  await askedOften(source);
  const all = await orders();
  expect(all).toHaveLength(16);
  expect(new Set(all.map(({ orderId }) => orderId)).size).toBe(16);
  expect(all.every(({ state, reason }) => state === 'REFUSED' && reason === 'scope_changed')).toBe(
    true,
  );
});

test('more than may go at once waits for a yes, also over a restart; then it goes in orders of 2,000', async () => {
  const source = new Source();
  source.pages = (after) =>
    after === 0
      ? {
          standing: 'p3',
          losses: [
            { recipient: FR, sections: [], ids: ids(1, 2_500) },
            { recipient: DE, sections: ['remarks'], ids: ids(1, 3) },
          ],
          next: 9,
        }
      : {
          standing: 'p3',
          losses: [{ recipient: FR, sections: [], ids: ids(3_000, 3_001) }],
          next: 0,
        };
  const never = (): Promise<never> => new Promise(() => undefined);
  const change = { scope: source, node: { destroyKeys: never }, approvalsAbove: 2_000 };
  await world.start(change);
  await until('it waits', async () => (await scopeOf()).waitingStanding === 'p3');
  await world.stop();
  await world.start(change);
  const waiting = [
    { recipient: DE, sections: ['remarks'], events: 3 },
    { recipient: FR, sections: [], events: 2_502 },
  ];
  expect(await scopeOf()).toMatchObject({ waiting, confirmAbove: 2_000 });
  expect(await orders()).toEqual([]);
  await world.calls.purge.confirmScope({ standing: 'p3' }, world.as(UN));
  await until('it is ordered', async () => (await orders()).length === 4);
  const counts = (await orders()).map(({ eventCount }) => eventCount);
  expect(counts.sort((a, b) => a - b)).toEqual([2, 3, 500, 2_000]);
  expect(await scopeOf()).toMatchObject({ waitingStanding: '', waiting: [] });
  // what is not sealed yet would be found again
  const { asked } = source;
  await world.stop();
  await world.start(change);
  await until('it lives', async () => (await orders()).length === 4);
  expect(source.asked).toBe(asked);
});
