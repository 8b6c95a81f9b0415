import { afterAll, beforeAll } from '@jest/globals';
import { SimulatedDisks } from '../disk.js';
import { type RaceResult, runRace } from './race.js';
import { type RaceTemplate, makeTemplate } from './template.js';

/** Makes what every race of a suite begins with. @returns what runs one */
export function useRaces(): (seed: number) => Promise<RaceResult> {
  let made: { readonly template: RaceTemplate; readonly disks: SimulatedDisks } | undefined;
  beforeAll(async () => {
    const template = await makeTemplate();
    made = { template, disks: new SimulatedDisks() };
  });
  afterAll(async () => {
    made?.disks.dispose();
    await made?.template.dispose();
  });
  return (seed) => {
    if (!made) throw new Error('call this in a test');
    return runRace(made.template, seed, made.disks);
  };
}
