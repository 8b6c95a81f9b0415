import { afterEach, describe, expect, test } from '@jest/globals';
import {
  SYNTHETIC_CATEGORIES,
  type SyntheticEvent,
  generate,
} from '@concordat/common/domain/synthetic/generate.js';
import { DE, FR, NodeWorld, UN, rule } from '../support/node-world.js';
import { eventId } from '../support/origin.js';

let world: NodeWorld;
afterEach(() => world.dispose());

/** Publishes it as version `version` of its category wrote it, or as the newest. */
async function publish(n: number, { category, content }: SyntheticEvent, version?: number) {
  const type = world.categories.findByCategory(category, version);
  if (!type) throw new Error(`no schema of ${category}`);
  return world.publish(n, { category, schemaHash: type.hash }, content);
}

test('an event of each category arrives as it was handed in', async () => {
  world = new NodeWorld();
  await world.start(UN, DE);
  for (const [n, category] of SYNTHETIC_CATEGORIES.entries()) {
    const event = generate(category, 'arrives', 0);
    const { id } = await publish(n, event);
    await world.readable(DE, n + 1);
    expect((await world.open(DE, id)).category).toBe(event.category);
    expect(await world.read(DE, id)).toMatchObject(event.content);
  }
});

describe('an agreement names categories by wildcards', () => {
  const NAMES = [
    'person-alert',
    'person-alert.missing',
    'person-alert.refused-entry',
    'travel-document-alert.stolen',
    'threat-indicator.file',
  ];
  const { purposes: _, retention: __, ...forbidden } = rule('no', FR, ['*.missing'], ['*']);

  test.each<[name: string, rules: readonly object[], wanted: readonly string[]]>([
    [
      'all kinds of a category, and one kind of another',
      [rule('some', FR, ['person-alert.*', 'threat-indicator.file'], ['*'])],
      ['person-alert.missing', 'person-alert.refused-entry', 'threat-indicator.file'],
    ],
    [
      'a kind of whatever category, and a category itself',
      [rule('some', FR, ['*.stolen', 'person-alert'], ['*'])],
      ['person-alert', 'travel-document-alert.stolen'],
    ],
    [
      'all but a kind that is forbidden',
      [rule('some', FR, ['person-alert.**'], ['*']), { ...forbidden, effect: 'forbid' }],
      ['person-alert.refused-entry'],
    ],
  ])('%s', async (_name, rules, wanted) => {
    world = new NodeWorld([rule('all', DE, ['**'], ['*']), ...rules]);
    await world.start(UN, DE, FR);
    for (const [n, category] of NAMES.entries()) {
      await publish(n, { category, content: generate(category, 'wildcards', n).content });
    }
    // one decision for all recipients: what de has, has been decided for fr
    await world.readable(DE, NAMES.length);
    await world.readable(FR, wanted.length);
    const reads = NAMES.map((name, n) =>
      world.read(FR, eventId(n)).then(
        () => [name],
        () => [],
      ),
    );
    expect((await Promise.all(reads)).flat()).toEqual(wanted);
  });
});

describe('two versions of a category', () => {
  test('are published and read side by side, each as it was written', async () => {
    world = new NodeWorld();
    await world.start(UN, DE);
    const { category, content } = generate('threat-indicator.file', 'versions', 0);
    const rules = [{ language: 'YARA', languageVersion: null, rule: 'rule x { condition: true }' }];
    const first = await publish(1, { category, content }, 1);
    const second = await publish(
      2,
      { category, content: { ...content, detectionRules: rules } },
      2,
    );
    await world.readable(DE, 2);
    const older = await world.read(DE, first.id);
    expect(older).toMatchObject(content);
    expect(older).not.toHaveProperty('detectionRules');
    expect(await world.read(DE, second.id)).toMatchObject({ ...content, detectionRules: rules });
  });

  test('are not mixed up: the older one has no place for what the newer one added', async () => {
    world = new NodeWorld();
    await world.start(UN);
    const { category, content } = generate('threat-indicator.file', 'versions', 0);
    await expect(
      publish(1, { category, content: { ...content, detectionRules: [] } }, 1),
    ).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringContaining('$.detectionRules'),
    });
  });
});

describe('refused at publishing, naming the place and no content', () => {
  const made = generate('threat-indicator.file', 'refused', 0);
  const alert = generate('person-alert.missing', 'refused', 0);

  test.each<[name: string, event: SyntheticEvent, code: string, message: string]>([
    [
      'a pattern that is none',
      { ...made, content: { ...made.content, pattern: "[file:name = 'secret'" } },
      'EVENT_INVALID',
      '$.pattern: a STIX 2.1 pattern; expected AND, OR or ] at character 22',
    ],
    [
      'a day that is none',
      { ...alert, content: { ...alert.content, issuedOn: '2026-02-30' } },
      'EVENT_INVALID',
      '$.issuedOn: expected a day like 1970-01-31, of the years 1800 to 2199',
    ],
    [
      'a day that is none, where null would do',
      { ...alert, content: { ...alert.content, validUntil: '2026-02-30' } },
      'EVENT_INVALID',
      '$.validUntil: expected null or a day like 1970-01-31',
    ],
    [
      'an unknown symbol',
      { ...alert, content: { ...alert.content, action: 'SECRET' } },
      'EVENT_INVALID',
      '$.action: expected ARREST, REFUSE_ENTRY',
    ],
    [
      'a kind that the schema does not declare',
      { ...alert, category: 'person-alert.refusd-entry' },
      'REQUEST_INVALID',
      'category: expected person-alert or a name below it, of a kind that the schema declares',
    ],
  ])('%s', async (_name, event, code, message) => {
    world = new NodeWorld();
    await world.start(UN);
    const refusal: unknown = await publish(1, event).catch((cause: unknown) => cause);
    expect(refusal).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(String(refusal)).not.toMatch(/secret/i);
  });
});
