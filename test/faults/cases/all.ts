import type { World } from '../world.js';
import { fetchesNothing } from './d11-fetches-nothing.js';
import { offlineDuringPurge } from './d28-offline-during-purge.js';
import { oldBackup } from './d29-old-backup.js';
import { brokerKilledInFlight } from './d3-broker-killed-in-flight.js';
import { diskFullAndKilledInAPurge } from './d32-disk-full-and-killed-in-a-purge.js';
import { secondInstance } from './d4-second-instance.js';
import { longerThanTheTopicKeeps } from './d5-longer-than-the-topic-keeps.js';
import { topicMadeAnew } from './d6-topic-made-anew.js';
import { compressedBatch } from './d7-compressed-batch.js';
import { flippedBit } from './d8-flipped-bit.js';

/** Situations of the reliability reference, by its numbers, each brought about on the real thing. */
const CASES = {
  D3: brokerKilledInFlight,
  D4: secondInstance,
  D5: longerThanTheTopicKeeps,
  D6: topicMadeAnew,
  D7: compressedBatch,
  D8: flippedBit,
  D11: fetchesNothing,
  D28: offlineDuringPurge,
  D29: oldBackup,
  D32: diskFullAndKilledInAPurge,
} as const satisfies Readonly<Record<string, (world: World) => Promise<void>>>;
export type CaseName = keyof typeof CASES;

export function isCase(name: string): name is CaseName {
  return Object.hasOwn(CASES, name);
}

/** Two runs have all of them. */
const TURNS: readonly (readonly CaseName[])[] = [
  ['D3', 'D4', 'D5', 'D8', 'D28'],
  ['D3', 'D6', 'D7', 'D29', 'D32', 'D11'],
];

export function casesOf(nth: number): readonly CaseName[] {
  return TURNS[nth % TURNS.length] ?? [];
}

/** One after the other, all with what went before. @returns by case `ok`, or what went otherwise */
export async function runCases(
  world: World,
  names: readonly CaseName[],
): Promise<Partial<Record<CaseName, string>>> {
  const outcomes: Partial<Record<CaseName, string>> = {};
  for (const name of names) {
    const startMs = performance.now();
    outcomes[name] = await CASES[name](world).then(
      () => 'ok',
      (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
    );
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
    world.tell(`${name} ${outcomes[name]}, ${seconds} s`);
  }
  return outcomes;
}
