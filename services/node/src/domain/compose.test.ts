import { expect, test } from '@jest/globals';
import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import {
  SECTION_PLAINTEXT_BYTES_MAX,
  isOpening,
  keyCommitment,
  openSection,
} from '@concordat/common/domain/sealing.js';
import { systemRandom } from '@concordat/common/io/system-ports.js';
import { codec, memberOf } from '../../../../test/support/federation.js';
import { eventId } from '../../../../test/support/origin.js';
import { type Draft, compose } from './compose.js';

const un = memberOf('un');
const draft: Draft = {
  id: eventId(1),
  category: 'listing.al-qaida.individual',
  schemaHash: sha256(utf8('schema')),
  sections: new Map([
    ['identity', utf8('Ada Lovelace')],
    ['remarks', utf8('')],
  ]),
  collectedAtMs: asUnixMs(1_700_000_000_000),
  retainUntilMs: asUnixMs(1_800_000_000_000),
  purposes: ['screening'],
  legalBasis: 'resolution 1267',
  handling: { tlp: 'AMBER', europol: 'H1', source: 'A', information: 1 },
  supersedes: null,
  audience: { byAgreement: false, members: [memberOf('fr')] },
  derivedFrom: { parents: [] },
  subjects: [],
};

const composed = (change: Partial<Draft> = {}) => {
  const result = compose(codec, systemRandom, un, { ...draft, ...change });
  if (!result.ok) throw result.error;
  return result.value;
};
const refusal = (change: Partial<Draft>) => {
  const result = compose(codec, systemRandom, un, { ...draft, ...change });
  if (result.ok) throw new Error('expected a refusal');
  return result.error;
};

test('each section opens with its own key, at its own place only', () => {
  const { header, envelope, keys } = composed();
  const { schemaHash } = header;
  for (const { name, sealed } of envelope.sections) {
    const key = keys.get(name) ?? new Uint8Array();
    const place = { origin: un, id: draft.id, section: name, schemaHash };
    expect(openSection(sealed, place, key)).toEqual(draft.sections.get(name));
    expect(openSection(sealed, { ...place, section: 'other' }, key)).toBeUndefined();
    expect(openSection(sealed, { ...place, id: eventId(2) }, key)).toBeUndefined();
  }
});

test('the header signs the ciphertexts, the keys and the openings', () => {
  const { header, envelope, keys } = composed();
  for (const { name, ciphertextHash, keyCommitment: commitment } of header.sections) {
    const { sealed } = envelope.sections.find((one) => one.name === name) ?? {};
    expect(ciphertextHash).toEqual(sealed && sha256(sealed));
    const place = { origin: un, id: draft.id, section: name, schemaHash: header.schemaHash };
    expect(commitment).toEqual(keyCommitment(place, keys.get(name) ?? new Uint8Array()));
  }
  const { audience, derivedFrom } = envelope;
  expect(audience && isOpening('audience', header.audience, audience)).toBe(true);
  expect(derivedFrom && isOpening('derived-from', header.derivedFrom, derivedFrom)).toBe(true);
  expect(codec.decode('Header', envelope.header)).toEqual({ ok: true, value: header });
});

test('no key, salt or ciphertext is ever the same twice', () => {
  const [a, b] = [composed(), composed()];
  const secrets = [a, b].flatMap(({ keys, envelope }) => [
    ...[...keys.values()].map(String),
    ...envelope.sections.map(({ sealed }) => String(sealed.subarray(0, 12))),
    String(envelope.audience?.salt),
    String(envelope.derivedFrom?.salt),
  ]);
  expect(new Set(secrets).size).toBe(secrets.length);
});

test('an envelope shows neither content, nor audience, nor its exact size', () => {
  const short = composed({ sections: new Map([['identity', utf8('Ada')]]) });
  const long = composed({ sections: new Map([['identity', utf8('Ada'.repeat(80))]]) });
  expect(short.envelope.sections[0]?.sealed).toHaveLength(
    long.envelope.sections[0]?.sealed.length ?? 0,
  );
  const header = Buffer.from(short.envelope.header);
  expect([header.includes('Ada'), header.includes('fr')]).toEqual([false, false]);
});

test('its bytes are all that the envelope will take in a block', () => {
  const { envelope, bytes } = composed();
  const value = codec.encode('Block', { statement: new Uint8Array(), envelopes: [envelope] });
  expect(value.length - bytes).toBeLessThan(200);
  expect(value.length).toBeGreaterThan(bytes);
});

test.each<[name: string, sizes: number[], message: RegExp]>([
  [
    'a section over its limit',
    [SECTION_PLAINTEXT_BYTES_MAX + 1],
    /section s0 has 196608 bytes, at most 196607/,
  ],
  [
    'sections over the limit together',
    [150_000, 60_000],
    /have 262200 bytes together, at most 245760/,
  ],
])('%s is refused by size and limit', (_name, sizes, message) => {
  const sections = new Map(sizes.map((size, n) => [`s${String(n)}`, new Uint8Array(size)]));
  const error = refusal({ sections });
  expect(error.code).toBe('ENVELOPE_TOO_LARGE');
  expect(error.message).toMatch(message);
});

test.each<[name: string, change: Partial<Draft>, message: RegExp]>([
  ['no section', { sections: new Map() }, /sections: expected 1 to 32/],
  ['a retention that is over', { retainUntilMs: draft.collectedAtMs }, /retainUntilMs/],
  ['a purpose twice', { purposes: ['a', 'a'] }, /purposes: a name stands twice/],
  ['no legal basis', { legalBasis: '' }, /legalBasis/],
  ['information code 5', { handling: { ...draft.handling, information: 5 } }, /handling/],
])('%s is refused by its path', (_name, change, message) => {
  const error = refusal(change);
  expect(error.code).toBe('EVENT_INVALID');
  expect(error.message).toMatch(message);
});
