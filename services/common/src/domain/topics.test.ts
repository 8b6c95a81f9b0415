import { describe, expect, test } from '@jest/globals';
import type { MemberId } from './ids.js';
import {
  type Topic,
  type TopicCatalogue,
  eventsTopic,
  feedTopic,
  grantsTopic,
  ledgerTopic,
  membershipTopic,
  planTopics,
  purgeTopic,
  quarantineTopic,
  receiptsTopic,
  wantedTopic,
  wantedTopics,
} from './topics.js';

const [un, de, fr] = ['un', 'de', 'fr'] as MemberId[] as [MemberId, MemberId, MemberId];
const catalogue: TopicCatalogue = {
  profiles: {
    demo: { replication: 1, settings: { 'min.insync.replicas': '1' } },
    production: { replication: 3, settings: { 'min.insync.replicas': '2' } },
  },
  everyTopic: { 'cleanup.policy': 'delete' },
  topics: [
    { name: 'directory', lanes: 1, settings: {} },
    { name: 'events.<origin>', lanes: 12, settings: { 'retention.ms': '1000' } },
    { name: 'receipts.<recipient>.<origin>', lanes: 1, settings: {} },
    { name: 'quarantine.<member>', lanes: 1, settings: {} },
  ],
};

test('topics are named for whose they are', () => {
  const direction = { origin: un, recipient: de };
  expect([
    eventsTopic(un),
    feedTopic(direction),
    ledgerTopic(un),
    membershipTopic(un),
    grantsTopic(un),
    purgeTopic(direction),
    receiptsTopic(direction),
    quarantineTopic(de),
  ]).toEqual([
    'events.un',
    'feed.un.de',
    'ledger.un',
    'membership.un',
    'grants.un',
    'purge.un.de',
    'receipts.de.un',
    'quarantine.de',
  ]);
});

describe('the wanted topics', () => {
  test('are those of each origin, and of each other member with it', () => {
    const membership = { members: [un, de, fr], origins: [un] };
    expect(wantedTopics(catalogue, membership, 'demo').map(({ name }) => name)).toEqual([
      'directory',
      'events.un',
      'quarantine.de',
      'quarantine.fr',
      'quarantine.un',
      'receipts.de.un',
      'receipts.fr.un',
    ]);
  });

  test('have the copies and settings of the profile', () => {
    expect(wantedTopic(catalogue, 'events.un', 'production')).toEqual({
      name: 'events.un',
      lanes: 12,
      replication: 3,
      settings: { 'cleanup.policy': 'delete', 'min.insync.replicas': '2', 'retention.ms': '1000' },
    });
  });

  test.each(['events', 'events.un.de', 'events.UN', 'event.un', 'events.'])(
    'have none named %j',
    (name) => {
      expect(wantedTopic(catalogue, name, 'demo')).toBeUndefined();
    },
  );
});

describe('the plan', () => {
  const wanted: Topic = {
    name: 'events.un',
    lanes: 12,
    replication: 1,
    settings: { 'cleanup.policy': 'delete' },
  };
  const differs = { kind: 'differs', topic: 'events.un' };
  test.each<[name: string, actual: Topic[], findings: unknown[]]>([
    ['creates what is missing', [], [{ kind: 'create', topic: 'events.un', wanted }]],
    ['leaves alone what is right', [wanted], [{ kind: 'ok', topic: 'events.un' }]],
    [
      'does not mind what we have no opinion on',
      [{ ...wanted, settings: { ...wanted.settings, 'flush.ms': '1' } }],
      [{ kind: 'ok', topic: 'events.un' }],
    ],
    [
      'names a setting that differs',
      [{ ...wanted, settings: { 'cleanup.policy': 'compact' } }],
      [{ ...differs, setting: 'cleanup.policy', expected: 'delete', got: 'compact' }],
    ],
    [
      'names a setting that is not told',
      [{ ...wanted, settings: {} }],
      [{ ...differs, setting: 'cleanup.policy', expected: 'delete', got: 'nothing' }],
    ],
    [
      'names every difference',
      [{ ...wanted, lanes: 1, replication: 2 }],
      [
        { ...differs, setting: 'lanes', expected: '12', got: '1' },
        { ...differs, setting: 'replication', expected: '1', got: '2' },
      ],
    ],
    [
      'does not mind topics of others',
      [wanted, { ...wanted, name: 'x' }],
      [{ kind: 'ok', topic: 'events.un' }],
    ],
  ])('%s', (_name, actual, findings) => {
    expect(planTopics([wanted], actual)).toEqual(findings);
  });
});
