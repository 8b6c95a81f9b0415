import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { XmlDocument, XmlElement } from '../domain/un-list/entry.js';

/** Elements inside elements; a UN list has five levels. */
const DEPTH_MAX = 16;

const TEXT = '#text';
const CDATA = '#cdata';
const ATTRIBUTES = ':@';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  textNodeName: TEXT,
  cdataPropName: CDATA,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false, // references are resolved below: the five of XML and characters by number, no other
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: DEPTH_MAX,
});

/**
 * A well-formed document of one root element, in UTF-8, without a DTD: no other entities than the five of XML.
 *
 * @returns REQUEST_INVALID with line and column, never with what stands there
 */
export function parseXml(text: string): Result<XmlDocument, ConcordatError> {
  try {
    return ok(documentOf(text.replace(/^\uFEFF/, '')));
  } catch (cause) {
    if (cause instanceof NotXml) return err(refusal(cause.message));
    return err(refusal(`deeper than ${DEPTH_MAX} elements, or names that XML does not have`));
  }
}

class NotXml extends Error {}

function refusal(problem: string): ConcordatError {
  return new ConcordatError(
    'REQUEST_INVALID',
    `expected a well-formed XML document without a DTD, got: ${problem}; fetch the file again`,
  );
}

function documentOf(text: string): XmlDocument {
  if (text.includes('<!DOCTYPE')) throw new NotXml('a DTD');
  const encoding = /^<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']/.exec(text)?.[1] ?? 'UTF-8';
  if (encoding.toUpperCase() !== 'UTF-8') throw new NotXml('an encoding other than UTF-8');
  if (NO_XML_CHARACTER.test(text)) throw new NotXml('a control character');
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor is another package; the parser alone reads a file cut short as whole
  const checked = XMLValidator.validate(text);
  if (checked !== true) {
    const { code, line, col } = checked.err;
    throw new NotXml(`${code} at line ${line}, column ${col}`);
  }
  const nodes = nodesOf(parser.parse(text));
  const elements = nodes.flatMap((node) => nameOf(node) ?? []);
  const [rootName, ...others] = elements;
  const rootNode = nodes.find((node) => nameOf(node) !== undefined);
  if (rootName === undefined || rootNode === undefined) throw new NotXml('no element');
  if (others.length > 0) throw new NotXml(`${elements.length} root elements`);
  return { root: elementOf(rootNode, rootName), rootAttributes: attributesOf(rootNode) };
}

type Node = Readonly<Record<string, unknown>>;

/** `preserveOrder` answers lists of objects with one element's name, `#text` or `#cdata` as their key. */
function nodesOf(value: unknown): readonly Node[] {
  if (!Array.isArray(value)) throw new NotXml('something that is not a list of nodes');
  return value.filter((node): node is Node => typeof node === 'object' && node !== null);
}

function nameOf(node: Node): string | undefined {
  return Object.keys(node).find((key) => key !== ATTRIBUTES && key !== TEXT && key !== CDATA);
}

function elementOf(node: Node, name: string): XmlElement {
  const texts: string[] = [];
  const children: XmlElement[] = [];
  for (const inner of nodesOf(node[name])) {
    const innerName = nameOf(inner);
    if (innerName !== undefined) children.push(elementOf(inner, innerName));
    else if (CDATA in inner) texts.push(...nodesOf(inner[CDATA]).map((part) => rawText(part)));
    else texts.push(resolveReferences(rawText(inner)));
  }
  return { name, text: texts.join(''), children };
}

function rawText(node: Node): string {
  const text = node[TEXT];
  if (typeof text !== 'string') throw new NotXml('a text that is not text');
  return text;
}

function attributesOf(node: Node): ReadonlyMap<string, string> {
  const attributes = node[ATTRIBUTES];
  if (typeof attributes !== 'object' || attributes === null) return new Map();
  return new Map(
    Object.entries(attributes).map(([key, value]) => [key, resolveReferences(String(value))]),
  );
}

const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** XML 1.0 §2.2; a lone half of a surrogate pair cannot come out of UTF-8. */
const NO_XML_CHARACTER = /[^\P{Cc}\t\n\r\u007F-\u009F]|[\uFFFE\uFFFF]/u;

function resolveReferences(text: string): string {
  return text.replaceAll(/&([^;]*)(;?)/g, (_all, name: string, end: string) => {
    const predefined = PREDEFINED.get(name);
    if (end === ';' && predefined !== undefined) return predefined;
    const digits = /^#(?:([0-9]{1,7})|x([0-9A-Fa-f]{1,6}))$/.exec(name);
    const code = digits ? Number.parseInt(digits[1] ?? digits[2] ?? '', digits[1] ? 10 : 16) : -1;
    const inRange = code >= 0 && code <= 0x10_ffff && !(code >= 0xd800 && code <= 0xdfff);
    const character = inRange ? String.fromCodePoint(code) : '\0';
    if (end !== ';' || NO_XML_CHARACTER.test(character)) throw new NotXml('an unknown entity');
    return character;
  });
}
