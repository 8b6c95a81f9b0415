import type { Draw } from './draw.js';

/**
 * Invented throughout: no name here is one that people bear, the states are codes that ISO 3166-1 keeps free for private
 * use and the specimen state of ICAO 9303, Utopia.
 */
const STATES = ['UTO', 'XAA', 'XBB', 'XCC', 'XDD', 'XEE'];
const GIVEN_NAMES = [
  ...['Testa', 'Samplo', 'Probina', 'Fictor', 'Dummia', 'Exemplus'],
  ...['Mockara', 'Placebo', 'Specimena', 'Trialo', 'Imagina'],
];
const FAMILY_STEMS = ['SPECIMEN', 'EXAMPLE', 'SYNTHETIC', 'INVENTED', 'UTOPIAN'];
const TOWNS = ['Amaurot', 'Testville', 'Port Sample', 'Fictionbury', 'Nowhere'];

export interface Name {
  readonly familyName: string;
  readonly givenNames: readonly string[];
}

/** The number makes clear that nobody is called so, and keeps thousands apart. */
export function drawName(draw: Draw): Name {
  const familyName = `${draw.pick(FAMILY_STEMS)}-${draw.digits(6)}`;
  return { familyName, givenNames: draw.some(GIVEN_NAMES, 2) };
}

export function drawTown(draw: Draw): string {
  return draw.pick(TOWNS);
}

export function drawState(draw: Draw): string {
  return draw.pick(STATES);
}

/** Whole, or known to the month or year only. */
export function drawBirthDate(draw: Draw): string {
  const day = draw.day(1945, 2005);
  return day.slice(0, draw.pick([10, 10, 10, 7, 4]));
}

export function drawDocumentNumber(draw: Draw): string {
  return `X${draw.pick(['A', 'B', 'C'])}${draw.digits(7)}`;
}
