import type { Brand, UnixMs } from '@concordat/common/domain/ids.js';

/** An element without its attributes: in an entry they say where a schema file lies, and nothing of the entry. */
export interface XmlElement {
  readonly name: string;
  /** The text directly inside, as it stands, entities resolved; of its children nothing. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

export interface XmlDocument {
  readonly root: XmlElement;
  readonly rootAttributes: ReadonlyMap<string, string>;
}

/** What entries match by from one list to the next: trimmed, one final dot removed, case kept. */
export type ReferenceNumber = Brand<string, 'ReferenceNumber'>;

export interface UnEntry {
  readonly kind: 'individual' | 'entity';
  readonly reference: ReferenceNumber;
  /** `UN_LIST_TYPE` as in the XML, trimmed: `Al-Qaida`. */
  readonly listType: string;
  readonly element: XmlElement;
  /** Where it stands in its file, for messages: `/CONSOLIDATED_LIST/ENTITIES/ENTITY[3]`. */
  readonly path: string;
}

export interface UnSnapshot {
  /** As in the XML. */
  readonly dateGenerated: string;
  readonly generatedMs: UnixMs;
  readonly entries: readonly UnEntry[];
}

/** Without white space at the ends: that of XML (§2.3), so a no-break space is content. */
export function trimXml(text: string): string {
  return text.replace(/^[ \t\r\n]+/, '').replace(/[ \t\r\n]+$/, '');
}

/** Trimmed, and every run of white space made one space: how two texts are compared. */
export function foldXml(text: string): string {
  return trimXml(text.replaceAll(/[ \t\r\n]+/g, ' '));
}

export function holdsText(element: XmlElement): boolean {
  return trimXml(element.text) !== '' || element.children.some(holdsText);
}
