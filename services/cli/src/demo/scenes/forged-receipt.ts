import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import type { PurgeEntry, Receipt } from '@concordat/common/domain/records.js';
import {
  SUITE,
  type Signer,
  signStatement,
  statementHash,
} from '@concordat/common/domain/statement.js';
import { purgeTopic, receiptsTopic } from '@concordat/common/domain/topics.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { readSigningKey } from '@concordat/common/io/federation-file.js';
import { memberFiles } from '../../io/federation-init.js';
import { SCHEMAS_DIR } from '../../io/home.js';
import { readForgers } from '../forgers.js';
import { insist, waitFor } from '../patience.js';
import { FEDERATION, ORIGIN } from '../scenario.js';
import { ASK } from '../settle.js';
import type { DemoScene, SceneStage } from './scene.js';
import {
  DE,
  FR,
  certificateOf,
  nodeOf,
  readByBoth,
  takeBack,
  untilClosed,
  untilHolders,
} from './take-back.js';

const DIRECTION = { origin: ORIGIN, recipient: DE };
const REFUSED = 'quarantined.';

/** While a holder is away others answer in its name: right in every respect but one, who signed it. */
export const forgedReceipt: DemoScene = {
  name: 'forgedReceipt',
  title: 'Receipts are forged',
  play: async (stage) => {
    const { story } = stage.ports;
    const gone = await readByBoth(stage, 1);
    const node = nodeOf(stage, DE);
    await node.stop();
    const orderId = await takeBack(stage, gone);
    await untilHolders(stage, orderId, { [DE]: 'APPENDED', [FR]: 'DELETED' });
    const receipt = await receiptFor(stage, orderId);
    const forgers = await readForgers(stage.places);
    const right = await readSigningKey(memberFiles(stage.places.dir, DE).signingKeyFile('node'));
    const signers: Readonly<Record<string, Signer>> = {
      stranger: forgers.stranger,
      wrongRole: forgers.wrongRole,
      wrongSignature: { keyId: right.keyId, sign: forgers.unknown.sign },
      unknownKey: forgers.unknown,
    };
    const refused: Record<string, string> = {};
    for (const [name, signer] of Object.entries(signers)) {
      refused[name] = await sendForged(stage, receipt, signer);
    }
    const meanwhile = await untilHolders(stage, orderId, {});
    story.line(
      `${DE} is away; ${String(Object.keys(refused).length)} receipts in its name are refused (${Object.values(refused).join(', ')}): it is still ${meanwhile[DE] ?? 'nothing'}`,
    );
    node.start();
    await untilClosed(stage, orderId);
    const certificate = await certificateOf(stage, orderId);
    story.line(`${DE} answers itself, and the certificate is ${certificate}`);
    const shown =
      [meanwhile[DE], certificate].join() === 'APPENDED,complete' &&
      !Object.values(refused).includes('accepted');
    return { shown, member: DE, refused, meanwhile, certificate };
  },
};

/** What the holder would answer to the order, but for who signs it. */
async function receiptFor(stage: SceneStage, orderId: OrderId): Promise<Receipt> {
  const codec = openRecordCodec(SCHEMAS_DIR);
  const found: { entry: PurgeEntry; hash: Receipt['entryHash'] }[] = [];
  await stage.log.scan(purgeTopic(DIRECTION), 0, 0n, ({ value }) => {
    const signed = codec.decode('Signed', value);
    const entry = signed.ok ? codec.decode('PurgeEntry', signed.value.payload) : signed;
    if (!signed.ok || !entry.ok || entry.value.orderId !== orderId) return;
    found.push({ entry: entry.value, hash: statementHash(signed.value) });
  });
  const [asked] = found;
  if (!asked) throw new ConcordatError('INTERNAL', 'expected the entry of the order on its topic');
  return {
    ...{ suite: SUITE, federation: FEDERATION, origin: ORIGIN, keyId: '', holder: DE },
    ...nextLink(EMPTY_HEAD),
    timeMs: stage.ports.clock.nowMs(),
    ...{ orderId, entryNumber: asked.entry.number, entryHash: asked.hash, stage: 'DELETED' },
    outcomes: asked.entry.ids.map((id) => ({ id, outcome: 'DELETED' })),
    ...{ holds: [], children: [], opened: null },
  };
}

/** @returns the code under which revocation counts the refusal, or `accepted` */
async function sendForged(stage: SceneStage, receipt: Receipt, signer: Signer): Promise<string> {
  const { ports, clients, log } = stage;
  const { clock } = ports;
  const counters = async (): Promise<Readonly<Record<string, number>>> =>
    (await insist(clock, () => clients.purge.list({}, ASK))).counters;
  const before = await counters();
  const codec = openRecordCodec(SCHEMAS_DIR);
  const forged = signStatement(codec, signer, 'Receipt', { ...receipt, keyId: signer.keyId });
  await insist(clock, () => log.send(receiptsTopic(DIRECTION), 0, [{ value: forged.bytes }]));
  let code = '';
  await waitFor(clock, async () => {
    const now = await counters();
    const rose = Object.keys(now).find(
      (name) => name.startsWith(REFUSED) && now[name] !== before[name],
    );
    const { state } = await clients.purge.status({ orderId: receipt.orderId }, ASK);
    code = state === 'CLOSED' ? 'accepted' : (rose?.slice(REFUSED.length) ?? '');
    return code === '' ? 'a forged receipt to be judged' : undefined;
  });
  return code;
}
