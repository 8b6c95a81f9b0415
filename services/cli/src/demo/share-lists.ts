import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { readSigningKey } from '@concordat/common/io/federation-file.js';
import { diffEntries } from '../domain/un-list/match.js';
import { memberFiles } from '../io/federation-init.js';
import { SCHEMAS_DIR } from '../io/home.js';
import type { SnapshotFile } from '../io/un-list-folder.js';
import type { Cast, DemoPorts } from './cast.js';
import { orderPurge } from './order-purges.js';
import { type PublishingParts, publishChanges } from './publish-changes.js';
import { ORIGIN } from './scenario.js';
import { type Look, settle } from './settle.js';
import type { Story } from './story.js';

/** Publishes list after list; what left a list is taken back. @returns the references that were delisted */
export async function shareLists(
  ports: DemoPorts,
  { clients, places, snapshots, chaos }: Cast,
  parts: Omit<PublishingParts, 'onProgress'>,
): Promise<string[]> {
  const { clock, story } = ports;
  const { book } = parts;
  const codec = openRecordCodec(SCHEMAS_DIR);
  const officer = await readSigningKey(
    memberFiles(places.dir, ORIGIN).signingKeyFile('purge-officer'),
  );
  const delisted: string[] = [];
  let before: SnapshotFile['snapshot']['entries'] = [];
  for (const [scene, { snapshot }] of snapshots.entries()) {
    const day = snapshot.dateGenerated.slice(0, 10);
    const { added, amended, delisted: gone } = diffEntries(before, snapshot.entries);
    story.scene(`List of ${day}`);
    story.line(
      `${String(added.length)} to publish, ${String(amended.length)} amended, ${String(gone.length)} delisted`,
    );
    const changes = [
      ...added.map((entry) => ({ entry })),
      ...amended.map(({ after }) => {
        const live = book.live.get(after.reference);
        return { entry: after, ...(live && { supersedes: live.id }) };
      }),
    ];
    const onProgress = (share: number): void => chaos?.reached({ scene, share });
    await publishChanges({ ...parts, onProgress }, changes, snapshot.dateGenerated);
    for (const { reference } of gone) {
      await orderPurge({ ...ports, codec, clients, officer }, book.remove(reference));
      delisted.push(reference);
      story.line(`${reference} left the list: purge ordered, every holder must answer`);
    }
    const look = await settle(clock, clients, book);
    tellLook(story, look);
    before = snapshot.entries;
  }
  return delisted.sort();
}

function tellLook(story: Story, look: Look): void {
  for (const { recipient, released, withheld } of look.consent.recipients) {
    const reasons = Object.entries(withheld).map(([reason, n]) => `${String(n)} ${reason}`);
    const kept = reasons.length > 0 ? `, withheld ${reasons.join(', ')}` : '';
    story.line(`${recipient}: ${String(released)} released${kept}`);
  }
  const closed = look.orders.orders.filter(({ state }) => state === 'CLOSED');
  if (closed.length > 0) {
    story.line(`${String(closed.length)} purge orders closed, every holder has answered`);
  }
}
