import { afterAll, beforeAll, expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import type { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import {
  type TopicAdmin,
  describeFinding,
  openTopicAdmin,
} from '@concordat/common/io/kafka/topic-admin.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { type OwnBroker, startOwnBroker } from '../support/broker.js';
import { until } from '../support/until.js';

const [un, de] = ['un', 'de'] as MemberId[] as [MemberId, MemberId];
const membership = { members: [un, de], origins: [un] };

let broker: OwnBroker;
let admin: TopicAdmin;
let operator: ReturnType<kafkajs.Kafka['admin']>;

beforeAll(async () => {
  broker = await startOwnBroker();
  const brokers = [broker.address];
  admin = await openTopicAdmin({
    brokers,
    clientId: 'topics',
    clock: systemClock,
    random: systemRandom,
  });
  operator = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await operator.connect();
});
afterAll(async () => {
  await operator.disconnect();
  await admin.close();
  await broker.dispose();
});

function refuseWarning(finding: ConcordatError): void {
  throw finding;
}

test('topics are planned, created once, and read back as they should be', async () => {
  const assert = admin.assertTopics(['events.un', 'feed.un.de'], 'demo', refuseWarning);
  await expect(assert).rejects.toMatchObject({ code: 'TOPIC_MISSING' });

  const plan = await admin.plan(membership, 'demo');
  expect(plan.map(describeFinding)).toEqual([
    'create   agreements: 1 lanes, 1 copies',
    'create   directory: 1 lanes, 1 copies',
    'create   events.un: 12 lanes, 1 copies',
    'create   feed.un.de: 12 lanes, 1 copies',
    'create   grants.un: 1 lanes, 1 copies',
    'create   ledger.un: 1 lanes, 1 copies',
    'create   membership.un: 1 lanes, 1 copies',
    'create   purge.un.de: 1 lanes, 1 copies',
    'create   quarantine.de: 1 lanes, 1 copies',
    'create   quarantine.un: 1 lanes, 1 copies',
    'create   receipts.de.un: 1 lanes, 1 copies',
  ]);
  expect(await admin.apply(membership, 'demo')).toEqual(plan);
  const again = await admin.apply(membership, 'demo');
  expect(new Set(again.map(({ kind }) => kind))).toEqual(new Set(['ok']));
  expect(await admin.existing(membership)).toEqual(plan.map(({ topic }) => topic));
  await admin.assertTopics(['events.un', 'feed.un.de'], 'demo', refuseWarning);
});

test('a topic of another kind is TOPIC_DIFFERS, with setting, expected and got', async () => {
  await operator.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: 'ledger.un',
        configEntries: [{ name: 'retention.ms', value: '1000' }],
      },
    ],
  });
  // a broker shows a changed setting a little after it took it
  const refusal = () =>
    admin.assertTopics(['ledger.un'], 'demo', refuseWarning).catch((cause: unknown) => cause);
  await until('the broker shows the change', async () => (await refusal()) !== undefined);
  expect(await refusal()).toMatchObject({
    code: 'TOPIC_DIFFERS',
    message: expect.stringContaining('ledger.un: retention.ms should be -1, is 1000'),
  });
});

test('too few copies are TOPIC_DIFFERS in production', async () => {
  await expect(
    admin.assertTopics(['purge.un.de'], 'production', refuseWarning),
  ).rejects.toMatchObject({
    code: 'TOPIC_DIFFERS',
    message: expect.stringContaining('purge.un.de: replication should be 3, is 1'),
  });
});

test('an unsafe broker is a warning in the demo and refused in production', async () => {
  await operator.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.BROKER,
        name: '1',
        configEntries: [{ name: 'unclean.leader.election.enable', value: 'true' }],
      },
    ],
  });
  const warnings: string[] = [];
  await admin.assertTopics(['purge.un.de'], 'demo', ({ code, message }) =>
    warnings.push(`${code} ${message}`),
  );
  expect(warnings).toEqual([
    'BROKER_SETTINGS_UNSAFE broker 1: unclean.leader.election.enable should be false, is true',
  ]);
  await expect(admin.assertTopics([], 'production', refuseWarning)).rejects.toMatchObject({
    code: 'BROKER_SETTINGS_UNSAFE',
  });
});
