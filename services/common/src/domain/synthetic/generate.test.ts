import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openCategoryCodec } from '../../io/avro/category-codec.js';
import { jsonBytes } from './draw.js';
import { SYNTHETIC_CATEGORIES, SYNTHETIC_NAMES, generate } from './generate.js';

const codec = openCategoryCodec(fileURLToPath(new URL('../../../../../schemas', import.meta.url)));

describe.each(SYNTHETIC_CATEGORIES)('%s', (category) => {
  const versions = [1, 2].flatMap((version) => codec.findByCategory(category, version) ?? []);

  test('every made event fits every version of its category and comes back the same', () => {
    expect(versions.length).toBeGreaterThan(0);
    for (const type of versions) {
      for (let index = 0; index < 200; index += 1) {
        const event = generate(category, 'fits', index);
        expect(type.describes(event.category)).toBe(true);
        const encoded = type.encode(event.content);
        if (!encoded.ok) throw encoded.error;
        const opened = [...encoded.value].map(([section, bytes]) => {
          const decoded = type.decode(section, bytes);
          return decoded.ok ? decoded.value : decoded.error;
        });
        expect(Object.assign({}, ...opened)).toMatchObject(event.content);
      }
    }
  });

  test('the same seed and index make the same event, whatever was made before', () => {
    const wanted = generate(category, 'same', 7);
    generate(category, 'same', 3);
    expect(generate(category, 'same', 7)).toEqual(wanted);
    expect(generate(category, 'same', 8)).not.toEqual(wanted);
    expect(generate(category, 'other', 7)).not.toEqual(wanted);
  });

  test('has the bytes that are asked for, unless it is longer by itself', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 2_200, max: 20_000 }), (index, bytes) => {
        const { content } = generate(category, 'size', index, { bytes });
        expect(jsonBytes(content)).toBe(bytes);
      }),
      { numRuns: 50 },
    );
  });
});

test('the kinds made are those that the schemas declare', () => {
  const declared = SYNTHETIC_NAMES.filter((name) => codec.findByCategory(name)?.describes(name));
  expect(declared).toEqual(SYNTHETIC_NAMES);
  expect(codec.findByCategory('person-alert')?.describes('person-alert.invented')).toBe(false);
});

test('a kind that is asked for is made', () => {
  expect(generate('person-alert.refused-entry', 's', 0)).toMatchObject({
    category: 'person-alert.refused-entry',
    content: { action: 'REFUSE_ENTRY' },
  });
});

test.each(['listing', 'person-alert.invented', 'constructor'])('%s is not made', (name) => {
  expect(() => generate(name, 's', 0)).toThrow(`nothing is made for ${name}`);
});

test('most threat indicators of 1,024 bytes have exactly that', () => {
  const sizes = Array.from({ length: 100 }, (_none, index) =>
    jsonBytes(generate('threat-indicator', 'bench', index, { bytes: 1024 }).content),
  );
  expect(sizes.filter((size) => size === 1024).length).toBeGreaterThan(90);
});
