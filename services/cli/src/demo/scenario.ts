import type { MemberId } from '@concordat/common/domain/ids.js';

/** The demo's federation: `un` publishes its list; three members receive different parts of it. One of them publishes too. */
export const FEDERATION = 'demo';
export const ORIGIN = 'un' as MemberId;
export const RECIPIENTS = ['de', 'fr', 'nl'] as readonly string[] as readonly MemberId[];

/** A recipient that publishes what it derives from what it received. */
export const DERIVER = 'de' as MemberId;
export const ORIGINS: readonly MemberId[] = [ORIGIN, DERIVER];

export const PURPOSE = 'screening';
export const CASE_ID = 'demo-1';
export const LEGAL_BASIS = 'UN Security Council resolutions 1267 (1999) and 1989 (2011)';
export const RETAIN_DAYS = 365;
export const ORDER_DEADLINE_MS = 24 * 3_600_000;

export interface Share {
  readonly member: MemberId;
  readonly categories: readonly string[];
  readonly sections: readonly string[];
  readonly inWords: string;
}

const ALL_SECTIONS = ['identity', 'aliases', 'documents', 'addresses', 'remarks', 'listing'];

/** Who may have what. */
export const SHARES: readonly Share[] = [
  {
    member: 'de' as MemberId,
    categories: ['listing.*.*'],
    sections: ALL_SECTIONS,
    inWords: 'everything',
  },
  {
    member: 'fr' as MemberId,
    categories: ['listing.al-qaida.*', 'listing.taliban.*'],
    sections: ['identity', 'aliases', 'addresses', 'listing'],
    inWords: 'the Al-Qaida and Taliban lists, without documents and remarks',
  },
  {
    member: 'nl' as MemberId,
    categories: ['listing.*.entity'],
    sections: ALL_SECTIONS,
    inWords: 'entities only',
  },
];

/** Who may have reports, from whichever of them: `nl` is no party to it. */
const REPORTERS = [ORIGIN, DERIVER, 'fr'];

/** The agreements as a data file, in force from yesterday for a year. */
export function agreementsFile(nowMs: number): unknown {
  const day = 86_400_000;
  const [from, until] = [nowMs - day, nowMs + RETAIN_DAYS * day].map((ms) =>
    new Date(ms).toISOString(),
  );
  return {
    agreements: [
      {
        id: 'un-list-sharing',
        version: 1,
        parties: [ORIGIN, ...RECIPIENTS],
        from,
        until,
        rules: SHARES.map(({ member, categories, sections }) => ({
          id: `list-to-${member}`,
          effect: 'permit',
          recipients: [member],
          categories,
          sections,
          purposes: [PURPOSE],
          retention: { days: RETAIN_DAYS },
          onward: member === DERIVER,
        })),
      },
      {
        ...{ id: 'reports', version: 1, parties: REPORTERS, from, until },
        rules: [
          {
            ...{ id: 'reports-to-all', effect: 'permit', recipients: REPORTERS },
            ...{ categories: ['information-report.*'], sections: ['report'], purposes: [PURPOSE] },
            ...{ retention: { days: RETAIN_DAYS }, onward: true },
          },
        ],
      },
    ],
    consents: [
      { id: 'un-consent', agreementId: 'un-list-sharing', origin: ORIGIN, from, until },
      ...ORIGINS.map((origin) => ({
        ...{ id: `${origin}-reports`, agreementId: 'reports', origin, from, until },
      })),
    ],
  };
}
