import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** What a newcomer types: the shell blocks of a page, line by line. */
function commandsOf(page: string): string[] {
  const blocks = read(page).matchAll(/^```sh\n([^]*?)^```$/gm);
  return [...blocks].flatMap(([, block = '']) => block.trimEnd().split('\n'));
}

test('README.md types nothing that the tested walkthrough does not', () => {
  const tested = commandsOf('docs/walkthrough.md');
  const typed = commandsOf('README.md');
  expect(typed.length).toBeGreaterThan(20);
  expect(typed.filter((line) => !tested.includes(line))).toEqual([]);
});

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
  ...readdirSync(join(root, 'services'))
    .map((name) => join('services', name, 'README.md'))
    .filter((path) => existsSync(join(root, path))),
];

/** GitHub's anchors: lower-case, blanks become hyphens, other marks go. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(pages)('%s', (page) => {
  const prose = read(page).replaceAll(/^```[^]*?^```$/gm, '');
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));

  test('links to files and headings that are there', () => {
    const broken = links.filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(read(file)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('names files of this repository that are there', () => {
    const named = [
      ...prose.matchAll(/`((?:services|schemas|infra|test|docs|proto)\/[^`\s<>*{]+)`/g),
    ]
      .map(([, path = '']) => path)
      .filter((path) => !path.includes('/dist/') && !path.endsWith('…'));
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
