import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

describe.each(['exchange.py', 'exchange.ts'])('docs/examples/national-system/%s', (file) => {
  const text = read(`docs/examples/national-system/${file}`);

  test('has at most 30 lines of at most 100 characters', () => {
    const lines = text.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.length).toBeLessThanOrEqual(30);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });
});

test('README.md shows docs/examples/national-system/exchange.py as it stands', () => {
  const shown = /^```python\n([^]*?)^```$/m.exec(read('README.md'));
  expect(shown?.[1]).toBe(read('docs/examples/national-system/exchange.py'));
});
