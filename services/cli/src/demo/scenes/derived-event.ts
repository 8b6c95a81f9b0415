import type { CertifiedPurge } from '@concordat/common/domain/certificate/verify-certificate.js';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { grantsTopic } from '@concordat/common/domain/topics.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { SCHEMAS_DIR } from '../../io/home.js';
import { newEventId } from '../../io/new-id.js';
import type { MemberClients } from '../clients.js';
import { insist, waitFor } from '../patience.js';
import { refusalOf } from '../read-back.js';
import { DERIVER, LEGAL_BASIS, ORIGIN, PURPOSE, RETAIN_DAYS } from '../scenario.js';
import { ASK } from '../settle.js';
import type { DemoScene, SceneStage } from './scene.js';
import {
  FR,
  clientsOf,
  proofOf,
  readByBoth,
  takeBack,
  untilClosed,
  verdictOn,
} from './take-back.js';

/** Who reads all events of this scene, its own or received. */
const READERS = [ORIGIN, DERIVER, FR];

interface Piece {
  readonly origin: MemberId;
  readonly id: EventId;
}

/** A member makes an event from one that it received, and the origin one from that: the first goes, and all go. */
export const derivedEvent: DemoScene = {
  name: 'derivedEvent',
  title: 'An event is taken back, and what was derived from it follows',
  play: async (stage) => {
    const { story } = stage.ports;
    const [listed] = await readByBoth(stage, 1);
    if (!listed) throw new TypeError('one was asked for');
    const parent = { origin: ORIGIN, id: listed.id };
    const child = await derive(stage, DERIVER, parent, 'information-report.sighting');
    await untilReadable(stage, child);
    const grandchild = await derive(stage, ORIGIN, child, 'information-report.assessment');
    await untilReadable(stage, grandchild);
    const pieces = [parent, child, grandchild];
    const grants = [
      ...(await grantsFor(stage, parent, child)),
      ...(await grantsFor(stage, child, grandchild)),
    ];
    const before = await readings(stage, pieces);
    story.line(
      `${DERIVER} derives an event from one of ${ORIGIN}, and ${ORIGIN} one from that: ${grants.join(', ')}; ${String(before.readable)} readings`,
    );
    const orderId = await takeBack(stage, [listed]);
    await untilClosed(stage, orderId);
    const after = await readings(stage, pieces);
    const again = await refusalToDerive(stage, parent);
    const proof = await proofOf(stage, orderId);
    const [certificate, tree] = [verdictOn(proof), treeOf(proof)];
    story.line(
      `${ORIGIN} takes its event back, and the others follow: ${String(after.readable)} readings; once more: ${again}`,
    );
    story.line(`the certificate is ${certificate}, a tree: ${tree.join(' > ')}`);
    const shown =
      [before.refused.length === 0, after.readable === 0, grants.length === 2].every(Boolean) &&
      [...new Set(after.refused), again].join() === 'PURGED,DERIVATION_REFUSED' &&
      [certificate, ...tree].join() === 'complete,un to de and fr,de to fr and un,un to de and fr';
    return {
      ...{ shown, member: DERIVER, grants, certificate, tree },
      ...{ readable: { before: before.readable, after: after.readable }, again },
    };
  },
};

function clientsAt(stage: SceneStage, member: MemberId): MemberClients {
  return member === ORIGIN ? stage.clients.origin : clientsOf(stage, member);
}

/** Publishes a report made from another member's event. The same id again gets the first result. */
async function derive(
  stage: SceneStage,
  member: MemberId,
  parent: Piece,
  category: string,
): Promise<Piece> {
  const { clock } = stage.ports;
  const schema = openCategoryCodec(SCHEMAS_DIR).findByCategory('information-report');
  if (!schema)
    throw new ConcordatError('SCHEMA_UNKNOWN', 'expected information-report in schemas/');
  const content = { title: 'A vehicle at a border', text: 'It was seen twice, on the same day.' };
  const [id, nowMs] = [newEventId(stage.ports), clock.nowMs()];
  const request = {
    ...{ eventId: id, category, schemaHash: schema.hash, collectedAtMs: nowMs },
    contentJson: Buffer.from(JSON.stringify(content)),
    retainUntilMs: nowMs + RETAIN_DAYS * 86_400_000,
    ...{ purposes: [PURPOSE], legalBasis: LEGAL_BASIS, supersedes: '' },
    handling: { tlp: 'AMBER', europol: 'H1', source: 'A', information: 1 },
    audience: { byAgreement: true, members: [] },
    derivedFrom: [{ origin: parent.origin, eventId: parent.id }],
  };
  await insist(clock, () => clientsAt(stage, member).national.publish(request, ASK));
  return { origin: member, id };
}

async function refusalToDerive(stage: SceneStage, parent: Piece): Promise<string> {
  try {
    await derive(stage, DERIVER, parent, 'information-report.sighting');
    return 'published';
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}

function readingsOf(stage: SceneStage, { origin, id }: Piece): Promise<(string | undefined)[]> {
  const { clock } = stage.ports;
  return Promise.all(
    READERS.map((reader) => refusalOf(clock, clientsAt(stage, reader), id, origin)),
  );
}

async function untilReadable(stage: SceneStage, piece: Piece): Promise<void> {
  await waitFor(stage.ports.clock, async () => {
    const refusals = (await readingsOf(stage, piece)).filter((code) => code !== undefined);
    return refusals.length > 0 ? `an event of ${piece.origin}: ${refusals.join()}` : undefined;
  });
}

/** Every piece read once by everybody. */
async function readings(stage: SceneStage, pieces: readonly Piece[]) {
  const all = (await Promise.all(pieces.map((piece) => readingsOf(stage, piece)))).flat();
  const refused = all.filter((code) => code !== undefined);
  return { readable: all.length - refused.length, refused };
}

/** The signed grants on the parent's origin's topic that name exactly this parent and this child, in words. */
async function grantsFor(
  { log, federation }: SceneStage,
  parent: Piece,
  child: Piece,
): Promise<string[]> {
  const codec = openRecordCodec(SCHEMAS_DIR);
  const keys = new KeyRing(federation);
  const found: string[] = [];
  await log.scan(grantsTopic(parent.origin), 0, 0n, ({ value }) => {
    const expected = { signer: parent.origin };
    const grant = verifyStatement(codec, keys, 'DerivationGrant', value, expected);
    if (!grant.ok) throw grant.error;
    const { holder, ...named } = grant.value.value;
    if (named.parent !== parent.id || named.child !== child.id || holder !== child.origin) return;
    found.push(`${parent.origin} granted it to ${holder}`);
  });
  return found;
}

/** Level by level, whose certificate names which holders. */
function treeOf(proof: CertifiedPurge): string[] {
  const { origin, holders } = proof;
  const names = holders.map(({ recipient }) => recipient).sort();
  const below = holders.flatMap(({ children }) => children.flatMap(treeOf));
  return [`${origin} to ${names.join(' and ')}`, ...below];
}
