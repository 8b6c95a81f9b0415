import type { Json } from '../strict-json.js';
import type { Draw } from './draw.js';
import { drawBirthDate, drawDocumentNumber, drawName, drawState, drawTown } from './person.js';

/** Each kind asks for one action. */
const ACTIONS = {
  'wanted-for-arrest': 'ARREST',
  'refused-entry': 'REFUSE_ENTRY',
  'discreet-check': 'DISCREET_CHECK',
  'specific-check': 'SPECIFIC_CHECK',
  missing: 'ESTABLISH_WHEREABOUTS',
  witness: 'INFORM_ISSUER',
} as const;
type PersonAlertKind = keyof typeof ACTIONS;
export const PERSON_ALERT_KINDS = Object.keys(ACTIONS) as readonly PersonAlertKind[];

export function personAlert(draw: Draw, kind: PersonAlertKind): { [field: string]: Json } {
  const issuedOn = draw.day(2024, 2026);
  const isSuspect = kind !== 'missing' && kind !== 'witness';
  const name = drawName(draw);
  return {
    reference: `SYN-PA-${draw.digits(8)}`,
    issuingAuthority: `Synthetic National Bureau, ${drawTown(draw)}`,
    dutyDesk: draw.perhaps(80, () => `duty-desk-${draw.digits(2)}@example.com`),
    action: ACTIONS[kind],
    offences: isSuspect
      ? draw.some(['TERRORISM', 'TERRORIST_FINANCING', 'RECRUITMENT', 'DOCUMENT_FRAUD'], 2)
      : [],
    issuedOn,
    validUntil: draw.perhaps(90, () => `${Number(issuedOn.slice(0, 4)) + 3}-12-31`),
    familyName: name.familyName,
    givenNames: [...name.givenNames],
    nameOriginalScript: null,
    birthDates: draw.list(1, 2, () => drawBirthDate(draw)),
    birthPlace: draw.perhaps(60, () => drawTown(draw)),
    birthState: draw.perhaps(60, () => drawState(draw)),
    nationalities: draw.some(['UTO', 'XAA', 'XBB', 'XCC'], 2),
    sex: draw.pick(['FEMALE', 'MALE', 'UNSPECIFIED']),
    aliases: draw.list(0, 3, () => drawAlias(draw)),
    documents: draw.list(0, 2, () => drawDocument(draw)),
    heightCm: draw.perhaps(70, () => draw.whole(145, 205)),
    eyeColour: draw.perhaps(50, () => draw.pick(['BLUE', 'BROWN', 'GREEN', 'GREY'])),
    marks: draw.list(0, 1, () => 'tattoo of the word SAMPLE on the left forearm'),
    warnings: isSuspect && draw.chance(30) ? draw.some(['ARMED', 'VIOLENT', 'ESCAPE_RISK'], 2) : [],
    biometrics: draw.list(0, 2, () => drawBiometric(draw)),
    remarks: 'An invented person, made from a seed.',
  };
}

function drawAlias(draw: Draw): Json {
  const { familyName, givenNames } = drawName(draw);
  return {
    familyName,
    givenNames: [...givenNames],
    quality: draw.pick(['CONFIRMED', 'GOOD', 'LOW']),
    birthDate: draw.perhaps(30, () => drawBirthDate(draw)),
  };
}

function drawDocument(draw: Draw): Json {
  const year = draw.whole(2015, 2025);
  return {
    kind: draw.pick(['PASSPORT', 'IDENTITY_CARD', 'RESIDENCE_PERMIT']),
    number: drawDocumentNumber(draw),
    issuingState: drawState(draw),
    issuedOn: draw.perhaps(80, () => draw.day(year, year)),
    expiresOn: draw.perhaps(80, () => `${year + 10}-01-31`),
    standing: draw.pick(['GENUINE', 'STOLEN_OR_LOST', 'FORGED', 'UNKNOWN']),
  };
}

function drawBiometric(draw: Draw): Json {
  const [kind, format] = draw.pick<readonly [string, string]>([
    ['FACE', 'ISO/IEC 39794-5'],
    ['FINGERPRINTS', 'ANSI/NIST-ITL'],
    ['DNA_PROFILE', 'ISO/IEC 19794-14'],
  ]);
  return { kind, format, sha256: draw.hex(32) };
}
