import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readConfig as readConsent } from '@concordat/consent/config.js';
import { readConfig as readNode } from '@concordat/node/config.js';
import { readConfig as readRevocation } from '@concordat/revocation/config.js';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

interface Row {
  readonly name: string;
  readonly default: string | undefined;
}

/** The rows of the table below a heading; the cells between name and default are handed to `keep`. */
function rowsBelow(heading: string, keep: (between: readonly string[]) => boolean): Row[] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section.split('\n').flatMap((line): Row[] => {
    const [, name, ...cells] = line.split('|').map((cell) => cell.trim());
    if (!name?.startsWith('`')) return [];
    const found = cells.slice(0, -2).at(-1) ?? '';
    if (!keep(cells.slice(0, -3))) return [];
    const bare = (cell: string): string => cell.replaceAll('`', '');
    return [{ name: bare(name), default: found === '–' ? undefined : bare(found) }];
  });
}

const REQUIRED: Readonly<Record<string, string>> = {
  KAFKA_BROKERS: '127.0.0.1:9092',
  CONCORDAT_MEMBER: 'de',
  CONCORDAT_GRPC__LISTEN: '127.0.0.1:7100',
};

/** `tls.certFile` is CONCORDAT_TLS__CERT_FILE; KAFKA_BROKERS alone is bare. */
function nameOf(path: readonly string[]): string {
  const name = path.map((part) => part.replaceAll(/([A-Z])/g, '_$1').toUpperCase()).join('__');
  return name === 'KAFKA_BROKERS' ? name : `CONCORDAT_${name}`;
}

function leaves(value: object, path: readonly string[] = []): Map<string, unknown> {
  return new Map(
    Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
      typeof item === 'object' && item !== null && !Array.isArray(item)
        ? [...leaves(item, [...path, key])]
        : [[nameOf([...path, key]), item] as const],
    ),
  );
}

test.each([
  ['node', readNode],
  ['consent', readConsent],
  ['revocation', readRevocation],
] as const)('docs/configuration.md names every setting of %s and its default', (service, read) => {
  const rows = [
    ...rowsBelow('Every service', () => true),
    ...rowsBelow('One service only', ([of]) => of === service),
  ];
  const required = rows.filter((row) => row.default === undefined).map(({ name }) => name);
  const env = Object.fromEntries(required.map((name) => [name, REQUIRED[name] ?? 'a/path']));
  const settings = leaves(read(env));
  expect(rows.map(({ name }) => name).sort()).toEqual([...settings.keys()].sort());
  const defaults = rows.filter((row) => row.default !== undefined);
  for (const { name, default: text } of defaults) {
    const shown = text === 'none' ? 'undefined' : text;
    expect([name, String(settings.get(name))]).toEqual([name, shown]);
  }
});
