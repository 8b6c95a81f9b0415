import type { Json } from '../strict-json.js';
import type { Draw } from './draw.js';
import { drawBirthDate, drawDocumentNumber, drawName, drawState, drawTown } from './person.js';

export const TRAVEL_DOCUMENT_KINDS = [
  'stolen',
  'lost',
  'stolen-blank',
  'revoked',
  'misused',
  'forged',
] as const;
type TravelDocumentKind = (typeof TRAVEL_DOCUMENT_KINDS)[number];

export function travelDocumentAlert(
  draw: Draw,
  kind: TravelDocumentKind,
): { [field: string]: Json } {
  const isBlank = kind === 'stolen-blank';
  const number = drawDocumentNumber(draw);
  const year = draw.whole(2017, 2025);
  return {
    documentCode: draw.pick(['P', 'PD', 'I', 'AC', 'V']),
    issuingState: drawState(draw),
    number,
    lastNumber: isBlank ? `${number.slice(0, 2)}9999999` : null,
    personalised: !isBlank,
    issuedOn: isBlank ? null : draw.day(year, year),
    expiresOn: isBlank ? null : `${year + 10}-01-31`,
    ...(isBlank ? NO_HOLDER : drawHolder(draw)),
    reference: `SYN-TD-${draw.digits(8)}`,
    reportedBy: `Synthetic Passport Office, ${drawTown(draw)}`,
    reportedOn: draw.day(2026, 2026),
    happenedOn: draw.perhaps(70, () => draw.day(2025, 2025).slice(0, draw.pick([10, 7]))),
    happenedIn: draw.perhaps(60, () => drawState(draw)),
    action: kind === 'lost' ? 'CHECK_HOLDER' : draw.pick(['SEIZE', 'REFUSE', 'INFORM_ISSUER']),
    remarks: 'An invented document, made from a seed.',
  };
}

const NO_HOLDER = {
  familyName: null,
  givenNames: [],
  birthDate: null,
  nationality: null,
  sex: null,
};

function drawHolder(draw: Draw): { [field: string]: Json } {
  const { familyName, givenNames } = drawName(draw);
  return {
    familyName,
    givenNames: [...givenNames],
    birthDate: drawBirthDate(draw),
    nationality: drawState(draw),
    sex: draw.pick(['FEMALE', 'MALE', 'UNSPECIFIED']),
  };
}
