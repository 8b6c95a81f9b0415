import { verifyCertificate } from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { categoryOf } from '../../domain/un-list/to-listing.js';
import { SCHEMAS_DIR } from '../../io/home.js';
import { newOrderId } from '../../io/new-id.js';
import { readSignedOrder, signApprovals, signOrders } from '../../io/sign-order.js';
import { Book } from '../book.js';
import { insist, waitFor } from '../patience.js';
import { publishChanges } from '../publish-changes.js';
import { refusalOf } from '../read-back.js';
import { ORDER_DEADLINE_MS, ORIGIN } from '../scenario.js';
import { ASK } from '../settle.js';
import type { DemoScene, SceneStage } from './scene.js';

const LEAVER = 'nl' as MemberId;
const REASON = 'partner_withdrawn';
/** All three recipients would get it. */
const SHARED_BY_ALL = 'listing.al-qaida.entity';

/** Of an event that consent has not decided on, and that a node was not given. */
const UNDECIDED = 'EVENT_UNKNOWN';

type LeavingMember = concordat.revocation.v1.LeavingMember;
type Counts = Readonly<Record<string, number>>;

/** A partner is dropped: what it was given is taken back with receipts, nothing more goes to it, and the others read on. */
export const partnerLeaves: DemoScene = {
  name: 'partnerLeaves',
  title: 'A partner leaves',
  play: async (stage) => {
    const { story } = stage.ports;
    const before = await readableAt(stage);
    const atFirst = await orderLeave(stage);
    story.line(`ordered by one person: ${LEAVER} is ${atFirst}, and nothing happens`);
    const { events, answered, ...left } = await untilLeft(stage);
    const certificates = await certified(stage);
    story.line(
      `approved by a second one: of ${String(events)} events that ${LEAVER} was given ${String(answered)} are deleted, each with a receipt`,
    );
    const after = await readableAt(stage);
    story.line(`readable before: ${textOf(before)}; now: ${textOf(after)}`);
    const next = await publishOneMore(stage);
    story.line(`one event more: ${textOf(next)}`);
    const owed = left.owedEntries + left.notOrdered;
    const others = Object.keys(before).filter((member) => member !== LEAVER);
    const shown =
      [atFirst, left.stage].join() === 'AWAITING_APPROVAL,LEFT' &&
      [events > 0, answered === events, owed === 0].every(Boolean) &&
      certificates.issued === certificates.verified &&
      others.every((one) => after[one] === before[one] && next[one] === 'readable') &&
      [after[LEAVER], next[LEAVER]].join() === '0,MEMBER_LEAVES';
    return {
      ...{ shown, member: LEAVER, atFirst, stage: left.stage, events, answered, owed },
      ...{ certificates, readable: { before, after }, next },
    };
  },
};

function textOf(figures: Readonly<Record<string, number | string>>): string {
  return Object.entries(figures)
    .map(([member, figure]) => `${member} ${String(figure)}`)
    .join(', ');
}

/** How many of the origin's events each recipient reads, as its own node counts. */
async function readableAt({ ports, clients }: SceneStage): Promise<Counts> {
  const counts: Record<string, number> = {};
  for (const [member, { operator }] of clients.recipients) {
    const { partners } = await insist(ports.clock, () => operator.status({}, ASK));
    counts[member] = partners.find((one) => one.member === ORIGIN)?.readable ?? 0;
  }
  return counts;
}

/** One person orders it, and another approves it. @returns where it stood between the two */
async function orderLeave(stage: SceneStage): Promise<string> {
  const { ports, clients, places } = stage;
  const home = { home: places.dir, member: ORIGIN };
  const [order = new Uint8Array()] = await signOrders(ports, {
    ...{ ...home, reason: REASON, deadlineMs: ORDER_DEADLINE_MS },
    orders: [{ orderId: newOrderId(ports), ids: [] }],
    cover: { recipients: [LEAVER], sections: [] },
  });
  await insist(ports.clock, () => clients.purge.order({ order }, ASK));
  const { stage: atFirst } = await leaverOf(stage);
  const orders = [await readSignedOrder(home, order)];
  const [approval = new Uint8Array()] = await signApprovals(ports, {
    ...{ ...home, as: 'purge-officer-2', orders },
  });
  await insist(ports.clock, () => clients.purge.approve({ approval }, ASK));
  return atFirst;
}

async function leaverOf({ ports, clients }: SceneStage): Promise<LeavingMember> {
  const { members } = await insist(ports.clock, () =>
    clients.purge.members({ member: LEAVER }, ASK),
  );
  const [leaver] = members;
  if (leaver) return leaver;
  throw new ConcordatError('INTERNAL', `expected ${LEAVER} among those that leave, it is not`);
}

async function untilLeft(stage: SceneStage): Promise<LeavingMember> {
  let last = await leaverOf(stage);
  await waitFor(stage.ports.clock, async () => {
    last = await leaverOf(stage);
    if (last.stage === 'LEFT') return undefined;
    return `answers of ${LEAVER}: ${String(last.answered)} of ${String(last.events)}`;
  });
  return last;
}

/** The orders about what the leaver held, each with a certificate that anybody can check. */
async function certified({ ports, clients, federation }: SceneStage) {
  const codec = openRecordCodec(SCHEMAS_DIR);
  const keys = new KeyRing(federation);
  const { orders } = await insist(ports.clock, () => clients.purge.list({}, ASK));
  const about = orders.filter(({ reason, eventCount }) => reason === REASON && eventCount > 0);
  let verified = 0;
  for (const { orderId } of about) {
    const { dsseJson } = await insist(ports.clock, () =>
      clients.purge.certificate({ orderId, evenIncomplete: false }, ASK),
    );
    const signed = verifyDsse(codec, keys, 'Certificate', dsseJson);
    const proven = signed.ok ? verifyCertificate(codec, keys, signed.value.value) : signed;
    if (proven.ok && proven.value.missing.length === 0) verified += 1;
  }
  return { issued: about.length, verified };
}

/** An event that all three would get. @returns for each whether it reads it, or why it does not get it */
async function publishOneMore(stage: SceneStage): Promise<Readonly<Record<string, string>>> {
  const { ports, clients, snapshots, schema } = stage;
  const { clock } = ports;
  const book = new Book();
  const { snapshot } = snapshots.at(-1) ?? {};
  const entry = snapshot?.entries.find((one) => categoryOf(one) === SHARED_BY_ALL);
  if (!snapshot || !entry) throw new ConcordatError('INTERNAL', 'expected an entity on the list');
  const parts = { ...ports, clients, book, schema, onProgress: () => undefined };
  await publishChanges(parts, [{ entry }], snapshot.dateGenerated);
  const [id] = [...book.live.values()].map((listed): EventId => listed.id);
  if (id === undefined) throw new ConcordatError('INTERNAL', 'expected an event in the book');
  const found: Record<string, string> = {};
  await waitFor(clock, async () => {
    for (const [member, node] of clients.recipients) {
      found[member] =
        member === LEAVER
          ? await whyNot(stage, id)
          : ((await refusalOf(clock, node, id)) ?? 'readable');
    }
    const isThere = Object.entries(found).every(([member, text]) =>
      member === LEAVER ? text !== UNDECIDED : text === 'readable',
    );
    return isThere ? undefined : textOf(found);
  });
  return found;
}

/** What the origin decided about the leaver; its node has never heard of the event. */
async function whyNot({ ports, clients }: SceneStage, eventId: EventId): Promise<string> {
  const node = clients.recipients.get(LEAVER);
  const came = node && (await refusalOf(ports.clock, node, eventId));
  if (came !== UNDECIDED) return came ?? 'readable';
  const about = { eventId, recipient: LEAVER };
  try {
    return (await insist(ports.clock, () => clients.consent.explain(about, ASK))).reason;
  } catch (cause) {
    const { code } = asConcordatError(cause);
    if (code !== UNDECIDED) throw cause;
    return code;
  }
}
