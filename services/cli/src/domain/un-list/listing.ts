import { foldXml } from './entry.js';

/** The value of `schemas/listing.v1.avsc`. Texts as in the XML, trimmed; null where the entry has none. */
export interface Listing {
  // identity
  readonly firstName: string | null;
  readonly secondName: string | null;
  readonly thirdName: string | null;
  readonly fourthName: string | null;
  readonly nameOriginalScript: string | null;
  readonly sortKey: string | null;
  readonly titles: readonly string[];
  readonly designations: readonly string[];
  readonly nationalities: readonly string[];
  readonly nationality2: string | null;
  readonly gender: string | null;
  readonly datesOfBirth: readonly BirthDate[];
  readonly placesOfBirth: readonly BirthPlace[];
  // aliases, documents, addresses, remarks: sections of one list each
  readonly aliases: readonly Alias[];
  readonly documents: readonly IdentityDocument[];
  readonly addresses: readonly Address[];
  readonly remarks: readonly Remark[];
  // listing
  /** The list's date, not the entry's: the one field in which an unchanged entry differs from list to list. */
  readonly dateGenerated: string | null;
  readonly dataId: string | null;
  readonly versionNum: string | null;
  readonly unListType: string | null;
  readonly referenceNumber: string | null;
  readonly listedOn: string | null;
  readonly submittedOn: string | null;
  readonly submittedBy: string | null;
  readonly delistedOn: string | null;
  readonly sortKeyLastMod: string | null;
  readonly listTypes: readonly string[];
  readonly lastDaysUpdated: readonly string[];
}

export interface BirthDate {
  readonly typeOfDate: string | null;
  readonly date: string | null;
  readonly year: string | null;
  readonly fromYear: string | null;
  readonly toYear: string | null;
}

export interface BirthPlace {
  readonly city: string | null;
  readonly stateProvince: string | null;
  readonly country: string | null;
}

export interface Alias {
  readonly quality: string | null;
  readonly aliasName: string | null;
  readonly dateOfBirth: string | null;
  readonly cityOfBirth: string | null;
  readonly countryOfBirth: string | null;
}

export interface IdentityDocument {
  readonly typeOfDocument: string | null;
  readonly typeOfDocument2: string | null;
  readonly number: string | null;
  readonly issuingCountry: string | null;
  readonly countryOfIssue: string | null;
  readonly cityOfIssue: string | null;
  readonly dateOfIssue: string | null;
}

export interface Address {
  readonly street: string | null;
  readonly city: string | null;
  readonly stateProvince: string | null;
  readonly zipCode: string | null;
  readonly country: string | null;
}

export interface Remark {
  /** The element that held the note: `INDIVIDUAL_ALIAS` is an item of `aliases`, `INDIVIDUAL` the entry itself. */
  readonly of: string;
  /** Which item of that list, from 0; 0 for the entry itself. */
  readonly index: number;
  readonly text: string;
}

/**
 * The names of the fields in which `read` is not `expected`, a missing field or one beyond `fields` included.
 * Texts are compared as lists are, runs of white space folded: an entry that a later list merely wraps
 * differently is unchanged and was not published again. `dateGenerated` need only be there, for the same reason.
 *
 * @param fields the fields of the sections that the reader may have
 */
export function listingDifferences(
  expected: Listing,
  read: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): readonly string[] {
  const wanted = new Map<string, unknown>(Object.entries(expected));
  const differs = (name: string): boolean => {
    if (!wanted.has(name) || !Object.hasOwn(read, name)) return true;
    if (name === 'dateGenerated') return typeof read[name] !== 'string';
    return JSON.stringify(folded(wanted.get(name))) !== JSON.stringify(folded(read[name]));
  };
  const beyond = Object.keys(read).filter((name) => !fields.includes(name));
  return [...fields.filter(differs), ...beyond];
}

/** Plain data with every text folded and every object's keys in one order. */
function folded(value: unknown): unknown {
  if (typeof value === 'string') return foldXml(value);
  if (Array.isArray(value)) return value.map(folded);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, folded(inner)]);
}
