import { insist } from '../patience.js';
import { refusalOf } from '../read-back.js';
import { ORIGIN } from '../scenario.js';
import { ASK } from '../settle.js';
import type { DemoScene, SceneStage } from './scene.js';
import {
  DE,
  FR,
  certificateOf,
  clientsOf,
  readByBoth,
  takeBack,
  untilClosed,
  untilHolders,
} from './take-back.js';

const REVIEW_MS = 30 * 86_400_000;

/** The law of a holder keeps what its origin takes back: nobody reads it, its receipt says so, and later it is deleted. */
export const legalHold: DemoScene = {
  name: 'legalHold',
  title: 'A legal hold, then deletion',
  play: async (stage) => {
    const { story, clock } = stage.ports;
    const [event] = await readByBoth(stage, 1);
    if (!event) throw new TypeError('one was asked for');
    const { operator } = clientsOf(stage, FR);
    const which = { origin: ORIGIN, eventId: event.id };
    const reviewAtMs = clock.nowMs() + REVIEW_MS;
    const hold = { ...which, ground: 'file 12', authority: 'court of F', reviewAtMs };
    await insist(clock, () => operator.placeHold(hold, ASK));
    const orderId = await takeBack(stage, [event]);
    const held = await untilHolders(stage, orderId, { [DE]: 'DELETED', [FR]: 'OPEN' });
    const reading = (await refusalOf(clock, clientsOf(stage, FR), event.id)) ?? 'readable';
    const certificateHeld = await certificateOf(stage, orderId);
    const listed = await holdsOf(stage);
    story.line(
      `${FR} keeps one event by law, and nobody reads it (${reading}); the certificate is not complete: ${certificateHeld}`,
    );
    await insist(clock, () => operator.releaseHold(which, ASK));
    await untilClosed(stage, orderId);
    const certificate = await certificateOf(stage, orderId);
    const listedAfter = await holdsOf(stage);
    story.line(
      `released: it is deleted with a final receipt, and the certificate is ${certificate}`,
    );
    const shown =
      [held[FR] === 'OPEN', reading === 'PURGED', listed === 1, listedAfter === 0].every(Boolean) &&
      [certificateHeld, certificate].join() === `${FR} held,complete`;
    return { shown, member: FR, held, listed, reading, certificateHeld, listedAfter, certificate };
  },
};

/** How many purged events are kept by law. */
async function holdsOf(stage: SceneStage): Promise<number> {
  const { operator } = clientsOf(stage, FR);
  const { holds } = await insist(stage.ports.clock, () => operator.listHolds({}, ASK));
  return holds.filter(({ purged }) => purged).length;
}
