import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { type UnEntry, type XmlElement, holdsText, trimXml } from './entry.js';
import type { Listing, Remark } from './listing.js';

/** `listing.<UN_LIST_TYPE in lower case, nothing else mapped>.<individual|entity>`. */
export function categoryOf(entry: UnEntry): string {
  return `listing.${entry.listType.toLowerCase()}.${entry.kind}`;
}

/**
 * Every text of the entry in its field. What is not asked for below and holds text is refused by its path:
 * a list of next year may have elements of which nobody has said yet which section they belong to.
 *
 * @param dateGenerated of the list that holds the entry
 */
export function toListing(entry: UnEntry, dateGenerated: string): Result<Listing, ConcordatError> {
  const root = entry.kind === 'individual' ? 'INDIVIDUAL' : 'ENTITY';
  const problems: string[] = [];
  const remarks: PlacedRemark[] = [];
  const own = openElement(entry.element, entry.path, problems);

  const listOf = <T>(of: string, read: (item: Reader) => T): readonly T[] =>
    own.items(of).map(({ element, at }, index) => {
      const item = openElement(element, `${entry.path}/${of}[${index + 1}]`, problems);
      const value = read(item);
      const text = item.text('NOTE');
      if (text !== null) remarks.push({ at, remark: { of, index, text } });
      item.close();
      return value;
    });

  const comment = own.text('COMMENTS1');
  if (comment !== null) {
    const at = entry.element.children.findIndex(({ name }) => name === 'COMMENTS1');
    remarks.push({ at, remark: { of: root, index: 0, text: comment } });
  }
  const listing: Omit<Listing, 'remarks'> = {
    firstName: own.text('FIRST_NAME'),
    secondName: own.text('SECOND_NAME'),
    thirdName: own.text('THIRD_NAME'),
    fourthName: own.text('FOURTH_NAME'),
    nameOriginalScript: own.text('NAME_ORIGINAL_SCRIPT'),
    sortKey: own.text('SORT_KEY'),
    titles: own.values('TITLE'),
    designations: own.values('DESIGNATION'),
    nationalities: own.values('NATIONALITY'),
    nationality2: own.text('NATIONALITY2'),
    gender: own.text('GENDER'),
    datesOfBirth: listOf('INDIVIDUAL_DATE_OF_BIRTH', (item) => ({
      typeOfDate: item.text('TYPE_OF_DATE'),
      date: item.text('DATE'),
      year: item.text('YEAR'),
      fromYear: item.text('FROM_YEAR'),
      toYear: item.text('TO_YEAR'),
    })),
    placesOfBirth: listOf('INDIVIDUAL_PLACE_OF_BIRTH', (item) => ({
      city: item.text('CITY'),
      stateProvince: item.text('STATE_PROVINCE'),
      country: item.text('COUNTRY'),
    })),
    aliases: listOf(`${root}_ALIAS`, (item) => ({
      quality: item.text('QUALITY'),
      aliasName: item.text('ALIAS_NAME'),
      dateOfBirth: item.text('DATE_OF_BIRTH'),
      cityOfBirth: item.text('CITY_OF_BIRTH'),
      countryOfBirth: item.text('COUNTRY_OF_BIRTH'),
    })),
    documents: listOf('INDIVIDUAL_DOCUMENT', (item) => ({
      typeOfDocument: item.text('TYPE_OF_DOCUMENT'),
      typeOfDocument2: item.text('TYPE_OF_DOCUMENT2'),
      number: item.text('NUMBER'),
      issuingCountry: item.text('ISSUING_COUNTRY'),
      countryOfIssue: item.text('COUNTRY_OF_ISSUE'),
      cityOfIssue: item.text('CITY_OF_ISSUE'),
      dateOfIssue: item.text('DATE_OF_ISSUE'),
    })),
    addresses: listOf(`${root}_ADDRESS`, (item) => ({
      street: item.text('STREET'),
      city: item.text('CITY'),
      stateProvince: item.text('STATE_PROVINCE'),
      zipCode: item.text('ZIP_CODE'),
      country: item.text('COUNTRY'),
    })),
    dateGenerated,
    dataId: own.text('DATAID'),
    versionNum: own.text('VERSIONNUM'),
    unListType: own.text('UN_LIST_TYPE'),
    referenceNumber: own.text('REFERENCE_NUMBER'),
    listedOn: own.text('LISTED_ON'),
    submittedOn: own.text('SUBMITTED_ON'),
    submittedBy: own.text('SUBMITTED_BY'),
    delistedOn: own.text('DELISTED_ON'),
    sortKeyLastMod: own.text('SORT_KEY_LAST_MOD'),
    listTypes: own.values('LIST_TYPE'),
    lastDaysUpdated: own.values('LAST_DAY_UPDATED'),
  };
  own.close();
  if (problems.length > 0) {
    return err(
      new ConcordatError(
        'EVENT_INVALID',
        `UN list entry does not fit schema listing.v1: ${problems.join('; ')}`,
      ),
    );
  }
  remarks.sort((a, b) => a.at - b.at);
  return ok({ ...listing, remarks: remarks.map(({ remark }) => remark) });
}

interface PlacedRemark {
  /** Position of the element among the entry's children, so that remarks keep the entry's order. */
  readonly at: number;
  readonly remark: Remark;
}

interface Reader {
  /** The one text of that name, null when there is none or it is empty. */
  text(name: string): string | null;
  /** The `VALUE` texts inside the elements of that name, in order. */
  values(name: string): readonly string[];
  /** The elements of that name that hold text, with their position among all children. */
  items(name: string): readonly { readonly element: XmlElement; readonly at: number }[];
  /** Reports every child that holds text and was not asked for. */
  close(): void;
}

function openElement(element: XmlElement, path: string, problems: string[]): Reader {
  const asked = new Set<string>();
  const filled = (name: string): readonly XmlElement[] => {
    asked.add(name);
    return element.children.filter((child) => child.name === name && holdsText(child));
  };
  const textOf = (child: XmlElement, at: string): string => {
    for (const inner of child.children.filter(holdsText)) {
      problems.push(`${at}/${inner.name}: an unknown element that holds text`);
    }
    return trimXml(child.text);
  };
  const noText = (child: XmlElement, at: string): void => {
    if (trimXml(child.text) !== '') problems.push(`${at}: expected elements only, got text`);
  };

  noText(element, path);
  return {
    text(name) {
      const [child, ...more] = filled(name);
      if (more.length > 0) problems.push(`${path}/${name}: expected once, got ${more.length + 1}`);
      return child ? textOf(child, `${path}/${name}`) || null : null;
    },
    values(name) {
      const at = `${path}/${name}`;
      return filled(name).flatMap((child) => {
        noText(child, at);
        for (const inner of child.children) {
          if (inner.name === 'VALUE' || !holdsText(inner)) continue;
          problems.push(`${at}/${inner.name}: an unknown element that holds text`);
        }
        const values = child.children.filter((inner) => inner.name === 'VALUE' && holdsText(inner));
        return values.map((value) => textOf(value, `${at}/VALUE`));
      });
    },
    items(name) {
      asked.add(name);
      return element.children
        .map((child, at) => ({ element: child, at }))
        .filter((item) => item.element.name === name && holdsText(item.element));
    },
    close() {
      const strays = element.children.filter((child) => !asked.has(child.name) && holdsText(child));
      for (const name of new Set(strays.map((stray) => stray.name))) {
        problems.push(`${path}/${name}: an unknown element that holds text`);
      }
    },
  };
}
