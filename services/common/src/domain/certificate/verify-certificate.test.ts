import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { FORGED } from '../../../../../test/support/certificates/forged.js';
import { story } from '../../../../../test/support/certificates/edits.js';
import {
  A,
  C,
  DE,
  FR,
  TRUE_CERTIFICATES,
  UN,
  approvalOf,
  federation,
  fileOf,
  tell,
  tellTree,
} from '../../../../../test/support/certificates/told.js';
import { codec } from '../../../../../test/support/federation.js';
import { eventId } from '../../../../../test/support/origin.js';
import { verifyDsse } from '../dsse-json.js';
import { KeyRing, parseTrust } from '../federation.js';
import type { Certificate } from '../records.js';
import type { KeyDirectory } from '../statement.js';
import { type CertifiedPurge, verifyCertificate } from './verify-certificate.js';

/** As a stranger checks a file, whatever it says. */
function verify(made: Certificate | string, keys: KeyDirectory = federation.keys) {
  const signed = verifyDsse(codec, keys, 'Certificate', fileOf(made));
  return signed.ok ? verifyCertificate(codec, keys, signed.value.value) : signed;
}

function proven(made: Certificate): CertifiedPurge {
  const verified = verify(made);
  if (!verified.ok) throw verified.error;
  return verified.value;
}

function verdict(...given: Parameters<typeof verify>): string {
  const verified = verify(...given);
  if (!verified.ok) return `${verified.error.code}: ${verified.error.message}`;
  const open = verified.value.missing.map(
    ({ recipient, entry, why }) => `${recipient} ${entry} ${why}`,
  );
  return open.length === 0 ? 'complete' : `incomplete: ${open.join(', ')}`;
}

describe('what is true of a file', () => {
  test.each(TRUE_CERTIFICATES)('a true certificate %s', (_what, certificate, expected) => {
    expect(verdict(certificate())).toBe(expected);
  });

  test('a true certificate of the first version, as it was once made', () => {
    const read = (name: string) =>
      readFileSync(
        new URL(`../../../../../test/data/certificate-v1/${name}.json`, import.meta.url),
        'utf8',
      );
    const trust = parseTrust(JSON.parse(read('trust')));
    if (!trust.ok) throw trust.error;
    expect(verdict(read('certificate'), new KeyRing(trust.value))).toBe('complete');
  });
});

describe('a true certificate', () => {
  test('says who held what, and proves that all of them answered', () => {
    const { origin, holders, order } = proven(story.certificate);
    expect(origin).toBe(UN);
    expect(order.value.ids).toEqual([eventId(15), A, C]);
    const held = new Map(holders.map(({ recipient, ids }) => [recipient, [...ids].sort()]));
    expect(held).toEqual(
      new Map([
        [DE, [A, C, eventId(15)]],
        [FR, [A]],
      ]),
    );
  });

  test('counts people, not keys', () => {
    expect(proven(story.certificate).people).toBe(1);
    expect(proven(tell({ approvals: (order) => [approvalOf(order)] }).certificate).people).toBe(2);
  });

  test('about one recipient or section names only who had been given that', () => {
    const holdersOf = (order: Parameters<typeof tell>[0]) =>
      proven(tell(order).certificate).holders.map(({ recipient }) => recipient);
    expect(holdersOf({ order: { recipients: [FR] } })).toEqual([FR]);
    expect(holdersOf({ order: { sections: ['remarks'] } })).toEqual([DE]);
  });

  test('holds what holders derived, and what became of it', () => {
    const [de] = proven(tellTree().certificate).holders;
    expect(de?.children).toMatchObject([
      { origin: DE, holders: [{ recipient: FR, children: [{ origin: FR, missing: [] }] }] },
    ]);
  });

  test('opens the slots of ordered events only', () => {
    const [first] = story.certificate.blocks;
    const opened = first?.chain.map((link) => link.opened.length);
    // publication, key for de, key for nl, the order before, key for fr, seal
    expect(opened).toEqual([0, 2, 2, 2, 2, 2]);
    const text = Buffer.from(codec.encode('Certificate', story.certificate)).toString('latin1');
    const hidden = Buffer.from(eventId(12).replaceAll('-', ''), 'hex').toString('latin1');
    expect(text).not.toContain(hidden);
  });
});

describe('a certificate, signed by a dishonest origin,', () => {
  test.each(FORGED)('is refused as a forgery: %s', (_what, made, why) => {
    const said = verdict(made());
    expect(said).toMatch(why);
    expect(said).toMatch(/^CERTIFICATE_INVALID: /);
  });
});
