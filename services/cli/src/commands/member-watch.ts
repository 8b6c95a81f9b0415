import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import type { PurgeService } from '@concordat/common/io/rpc/definitions.js';
import { durationText } from '../domain/duration.js';
import { type LeavingAnswer, leavingEnd, standingText } from '../domain/member-progress.js';
import { DOORS, withClient } from '../io/session.js';
import { type MemberOptions, type Surroundings, sameMember } from './options.js';
import { INTERRUPTED } from './purge-status.js';
import type { World } from './world.js';

const LOOK_EVERY_MS = 1_000;

/**
 * Looks once a second, a line for each change, until the member has left, is overdue, or its leaving is refused. Watching
 * changes nothing: it may be left and taken up again.
 *
 * @returns where it stood last; undefined when it does not leave
 * @throws ConcordatError DEADLINE_EXCEEDED when `--timeout` was over first
 */
export async function watchLeaving(
  world: World,
  leaver: MemberId,
  options: MemberOptions,
  { print, patienceMs, call }: Surroundings,
): Promise<LeavingAnswer | undefined> {
  const stop = world.interruption();
  const startMs = world.clock.monotonicMs();
  const passedMs = (): number => world.clock.monotonicMs() - startMs;
  const resume = `concordat member status ${leaver} --watch${sameMember(options, world)}`;
  let told = '';
  const tell = (text: string): void => {
    if (text !== told)
      print.progress(`${durationText(passedMs()).padStart(8)}  ${leaver}  ${text}`);
    told = text;
  };
  for (;;) {
    const look = (revocation: ClientOf<typeof PurgeService>) =>
      revocation.members({ member: leaver }, call);
    const members = await withClient(options, DOORS.purge, look).then(
      (answer) => answer.members,
      (cause: unknown) => {
        if (!(cause instanceof ConcordatError && cause.retryable)) throw cause;
        tell('revocation does not answer');
        return undefined;
      },
    );
    const [latest] = members ?? [];
    if (latest) tell(standingText(latest));
    const end = members && leavingEnd(latest);
    if (end !== undefined) {
      world.finish(end);
      return latest;
    }
    if (stop.aborted) {
      print.progress(`resume  ${resume}`);
      world.finish(INTERRUPTED);
      return latest;
    }
    if (patienceMs !== undefined && passedMs() >= patienceMs) {
      print.progress(`resume  ${resume}`);
      const text = `${leaver} is ${latest?.stage ?? 'unknown'} after ${durationText(patienceMs)}`;
      throw new ConcordatError('DEADLINE_EXCEEDED', text);
    }
    await world.clock.sleep(LOOK_EVERY_MS, stop).catch(() => undefined);
  }
}
