/** What `make simulate` is asked for. */
export interface RunOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  /** print the whole trace of each seed */
  readonly trace: boolean;
  /** also those whose ends not every witness can judge yet */
  readonly everybody: boolean;
  /** at most so many worker processes */
  readonly workers: number;
  /** measure which lines of `services/<each>/src/domain` are run */
  readonly coverage: boolean;
  /** of the report */
  readonly out: string;
}

const SEEDS = 300;
const WORKERS = 2;

/** @throws TypeError for what it does not know */
export function readOptions(args: readonly string[]): RunOptions {
  const given = new Map(args.map((arg) => pairOf(arg)));
  const seed = numberOf(given, '--seed');
  const options = {
    firstSeed: seed ?? 1,
    seeds: seed === undefined ? (numberOf(given, '--seeds') ?? SEEDS) : 1,
    trace: given.has('--trace'),
    everybody: given.has('--everybody'),
    coverage: given.has('--coverage'),
    workers: numberOf(given, '--workers') ?? WORKERS,
    out: given.get('--out') ?? 'out/simulate.json',
  };
  const known = ['--seed', '--seeds', '--trace', '--everybody', '--coverage', '--workers', '--out'];
  const unknown = [...given.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`expected ${known.join(', ')}, came ${unknown}`);
  return options;
}

function pairOf(arg: string): readonly [string, string] {
  const at = arg.indexOf('=');
  return at < 0 ? [arg, ''] : [arg.slice(0, at), arg.slice(at + 1)];
}

function numberOf(given: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = given.get(name);
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new TypeError(`${name}: expected a whole number from 1 on, came ${text}`);
}
