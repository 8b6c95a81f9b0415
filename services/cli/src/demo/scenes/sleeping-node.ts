import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { Listed } from '../book.js';
import { refusalOf } from '../read-back.js';
import { CASE_ID, ORIGIN, PURPOSE } from '../scenario.js';
import type { DemoScene, SceneStage } from './scene.js';
import {
  DE,
  FR,
  certificateOf,
  clientsOf,
  nodeOf,
  readByBoth,
  statusOf,
  takeBack,
  untilHolders,
} from './take-back.js';

const TAKEN_BACK = 2;
const TRY_MS = 1_000;
const PAUSE_MS = 20;
const TRIES_MAX = 3_000;

/** A node is away while events are taken back that it still has with their keys. */
export const sleepingNode: DemoScene = {
  name: 'sleepingNode',
  title: 'A node sleeps through purges, and wakes',
  play: async (stage) => {
    const { story, clock } = stage.ports;
    const gone = await readByBoth(stage, TAKEN_BACK);
    const node = nodeOf(stage, FR);
    await node.stop();
    const orderId = await takeBack(stage, gone);
    const away = await untilHolders(stage, orderId, { [DE]: 'DELETED', [FR]: 'APPENDED' });
    story.line(`${FR} is away: ${textOf(away)}`);
    node.start();
    const { tries, read } = await readUntilAnswered(stage, orderId, gone);
    const back = await untilHolders(stage, orderId, { [FR]: 'DELETED' });
    const codes = await Promise.all(
      gone.map(({ id }) => refusalOf(clock, clientsOf(stage, FR), id)),
    );
    const certificate = await certificateOf(stage, orderId);
    story.line(
      `${FR} is back: of ${String(tries)} readings while it caught up ${String(read)} were answered; ${textOf(back)}`,
    );
    const shown =
      [read === 0, tries > 0, codes.every((code) => code === 'PURGED')].every(Boolean) &&
      certificate === 'complete';
    return {
      ...{ shown, member: FR, takenBack: TAKEN_BACK, away, back },
      ...{ readBeforeCaughtUp: read, certificate },
    };
  },
};

function textOf(states: Readonly<Record<string, string>>): string {
  return Object.entries(states)
    .map(([member, state]) => `${member} ${state}`)
    .join(', ');
}

/** Asks for what is taken back again and again, from before the node listens until it has answered the order. */
async function readUntilAnswered(
  stage: SceneStage,
  orderId: Parameters<typeof statusOf>[1],
  gone: readonly Listed[],
): Promise<{ readonly tries: number; readonly read: number }> {
  const { national } = clientsOf(stage, FR);
  const [tries, counts] = [{ all: 0 }, { read: 0 }];
  while (tries.all < TRIES_MAX) {
    for (const { id } of gone) {
      const request = { origin: ORIGIN, eventId: id, purpose: PURPOSE, caseId: CASE_ID };
      tries.all += 1;
      try {
        await national.read(request, { timeoutMs: TRY_MS, waitForReady: true });
        counts.read += 1;
      } catch (cause) {
        asConcordatError(cause); // whatever it was refused for, and be it that nobody is there
      }
    }
    const { holders } = await statusOf(stage, orderId);
    if (holders.every(({ state }) => state === 'DELETED')) break;
    await stage.ports.clock.sleep(PAUSE_MS);
  }
  return { tries: tries.all, read: counts.read };
}
