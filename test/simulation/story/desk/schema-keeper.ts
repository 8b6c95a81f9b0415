import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evolutionProblems } from '@concordat/common/domain/schema-evolution.js';
import { schemasDir } from '../../../support/federation.js';
import type { Actor } from '../actor.js';

type Schema = Readonly<Record<string, unknown>> & { readonly fields: readonly Field[] };
type Field = Readonly<Record<string, unknown>>;

const NAMES = ['person-alert', 'financial-indicator', 'travel-document-alert', 'listing'] as const;
/** What somebody may want of a next version; all but the first is refused. */
const CHANGES: Readonly<Record<string, (field: Field) => readonly Field[]>> = {
  nothing: (field) => [field],
  'a field goes': () => [],
  'a field without default comes': (field) => [field, { name: 'added', type: 'string' }],
  'a type changes': (field) => [{ ...field, type: 'double' }],
  'a type is another record': (field) => [
    { ...field, type: { type: 'record', name: 'Other', fields: [] } },
  ],
  'a type is a list': (field) => [{ ...field, type: { type: 'array', items: 'int' } }],
  'a type may be one of two': (field) => [{ ...field, type: ['null', 'boolean'], default: null }],
  'a symbol goes': (field) => [{ ...field, type: { type: 'enum', name: 'Few', symbols: ['ONE'] } }],
};

/** Looks whether what was written with a schema could be read with a changed one, before anybody writes with it. */
export const schemaKeeper: Actor = {
  name: 'judges schemas',
  weight: 1,
  act: async (world, draw) => {
    const name = draw.pick(NAMES);
    const text = readFileSync(join(schemasDir, `${name}.v1.avsc`), 'utf8');
    const older = JSON.parse(text) as Schema;
    for (const [what, change] of Object.entries(CHANGES)) {
      const at = draw.whole(0, older.fields.length - 1);
      const fields = older.fields.flatMap((field, n) => (n === at ? change(field) : [field]));
      const problems = evolutionProblems(older, { ...older, fields });
      const isFit = problems.length === 0;
      if (what === 'nothing' && !isFit) world.violated(`${name} does not follow itself`);
      world.scheduler.note(`${name}, ${what}: ${isFit ? 'fits' : 'does not fit'}`);
    }
  },
};
