import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConcordatError } from '../domain/errors.js';
import { parseMemberId } from '../domain/ids.js';

const PREFIX = 'CONCORDAT_';
const SECRET_SUFFIX = '_FILE';

type Environment = Readonly<Record<string, string | undefined>>;

/** A setting whose value may also come from the file that `<NAME>_FILE` names. Must be the last call on a schema. */
export function secret<T extends z.ZodType>(schema: T): T {
  return schema.meta({ secret: true });
}

/** A setting under a name without our prefix: only for what other programs call so too. */
function bare<T extends z.ZodType>(schema: T, name: string): T {
  return schema.meta({ name });
}

/** @param expected completes "expected …" in the error */
export function textSetting(expected: string, fits = /\S/) {
  return z.string({ error: expected }).regex(fits, { error: expected });
}

export function integerSetting({ min, max }: { readonly min: number; readonly max: number }) {
  const expected = `a whole number from ${min} to ${max}`;
  return textSetting(expected, /^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min, { error: expected }).max(max, { error: expected }));
}

export function choiceSetting<const T extends readonly [string, ...string[]]>(choices: T) {
  return z.enum(choices, { error: choices.join(' or ') });
}

const HOST_PORT = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]+\]):\d{1,5}$/i;
const HOST_PORTS = new RegExp(
  `${HOST_PORT.source.slice(0, -1)}(?:,${HOST_PORT.source.slice(1, -1)})*$`,
  'i',
);
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):\d{1,5}$/i;
const PROFILES = ['production', 'demo'] as const;

const brokers = textSetting('addresses host:port, with commas between', HOST_PORTS).transform(
  (text): readonly string[] => text.split(','),
);

/** Settings that node, consent and revocation share. */
const shared = {
  member: textSetting('a member id of 2 to 8 lower-case letters').transform((text, context) => {
    const id = parseMemberId(text);
    if (id.ok) return id.value;
    context.issues.push({
      code: 'custom',
      input: text,
      message: 'a member id of 2 to 8 lower-case letters',
    });
    return z.NEVER;
  }),
  profile: choiceSetting(PROFILES).default('production'),
  federationFile: textSetting('the path of federation.json'),
  dataDir: textSetting('the path of a directory for this service alone'),
  grpc: z.object({ listen: textSetting('host:port to serve calls on', HOST_PORT) }),
  tls: z.object({
    certFile: textSetting('the path of a certificate in PEM'),
    keyFile: textSetting('the path of its private key in PEM'),
  }),
  signingKeyFile: textSetting('the path of an Ed25519 private key in PKCS #8 PEM'),
  schemasDir: textSetting('the path of the directory schemas/'),
  kafkaBrokers: bare(brokers, 'KAFKA_BROKERS'),
  log: z.object({ level: choiceSetting(['debug', 'info', 'warn', 'error']).default('info') }),
  shutdownGraceMs: integerSetting({ min: 0, max: 600_000 }).default(10_000),
};

/** Events that one person may take back alone within 24 hours. */
export const approvalsAboveSetting = integerSetting({ min: 0, max: 1_000_000 }).default(1_000);

/** The settings that every service has, with a service's own. Groups are objects, never optional ones. */
export function serviceSettings<Own extends z.ZodRawShape>(own: Own) {
  return z.object({ ...shared, ...own });
}

interface Setting {
  readonly name: string;
  readonly path: readonly string[];
  readonly isSecret: boolean;
}

/** `tls.certFile` is CONCORDAT_TLS__CERT_FILE. */
function envName(path: readonly string[]): string {
  const parts = path.map((part) => part.replaceAll(/([A-Z])/g, '_$1').toUpperCase());
  return PREFIX + parts.join('__');
}

function settingsOf(schema: z.ZodObject, path: readonly string[] = []): readonly Setting[] {
  return Object.entries(schema.shape).flatMap(([key, field]): readonly Setting[] => {
    const at = [...path, key];
    if (field instanceof z.ZodObject) return settingsOf(field, at);
    const { name, secret: isSecret } = z.globalRegistry.get(field) ?? {};
    return [
      {
        name: typeof name === 'string' ? name : envName(at),
        path: at,
        isSecret: isSecret === true,
      },
    ];
  });
}

interface Problem {
  readonly name: string;
  readonly text: string;
}

/** Of a value, never the value: an error may be logged, and a secret may stand in the wrong variable. */
function came(value: string | undefined): string {
  if (value === undefined) return 'nothing';
  return value === '' ? 'an empty text' : `a text of ${value.length} characters`;
}

function valueOf(env: Environment, setting: Setting, problems: Problem[]): string | undefined {
  const fileName = setting.name + SECRET_SUFFIX;
  const path = setting.isSecret ? env[fileName] : undefined;
  if (path === undefined) return env[setting.name];
  if (env[setting.name] !== undefined) {
    problems.push({ name: fileName, text: `expected only one of it and ${setting.name}` });
  }
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    problems.push({ name: fileName, text: 'expected the path of a readable file' });
    return undefined;
  }
}

/** The number of single-character edits from one name to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [above, letter] of Array.from(from).entries()) {
    const next = [above + 1];
    for (const [at, other] of Array.from(to).entries()) {
      const replaced = (row[at] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function unknownNames(env: Environment, settings: readonly Setting[]): readonly Problem[] {
  const known = settings.flatMap(({ name, isSecret }) =>
    isSecret ? [name, name + SECRET_SUFFIX] : [name],
  );
  const foreign = Object.keys(env).filter(
    (name) => name.startsWith(PREFIX) && !known.includes(name),
  );
  return foreign.map((name) => {
    const [nearest = 'none'] = known.toSorted((a, b) => distance(name, a) - distance(name, b));
    return { name, text: `expected a setting of this service; the nearest is ${nearest}` };
  });
}

/** Until Kafka has TLS here, other machines' traffic to it would be readable on the way. */
function plaintextKafka(env: Environment): readonly Problem[] {
  const profile = shared.profile.safeParse(env[`${PREFIX}PROFILE`]);
  const found = brokers.safeParse(env['KAFKA_BROKERS']);
  if (!profile.success || !found.success || profile.data !== 'production') return [];
  if (found.data.every((address) => LOOPBACK.test(address))) return [];
  const text = 'expected loopback addresses in profile production: Kafka is plaintext here';
  return [{ name: 'KAFKA_BROKERS', text }];
}

/** Puts a value where its path says: `['tls', 'certFile']`. */
function place(
  into: Record<string, unknown>,
  [key = '', ...rest]: readonly string[],
  value: unknown,
) {
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  const group: Record<string, unknown> = { ...(into[key] as object | undefined) };
  place(group, rest, value);
  into[key] = group;
}

/**
 * Reads settings from the environment: `CONCORDAT_`, then the path in capitals with `__` between.
 *
 * @param schema leaves are read from texts; its object structure gives the names
 * @throws ConcordatError CONFIG_INVALID once, naming every variable that is missing, malformed or unknown
 */
export function readConfig<Shape extends z.ZodRawShape>(
  env: Environment,
  schema: z.ZodObject<Shape>,
): z.output<z.ZodObject<Shape>> {
  const settings = settingsOf(schema);
  const problems: Problem[] = [...unknownNames(env, settings)];
  const input: Record<string, unknown> = {};
  const values = new Map<string, string | undefined>();
  for (const setting of settings) {
    const value = valueOf(env, setting, problems);
    values.set(setting.name, value);
    place(input, setting.path, value);
  }

  const parsed = schema.safeParse(input);
  for (const { path, message } of parsed.error?.issues ?? []) {
    const at = path.join('.');
    const name = settings.find((one) => one.path.join('.') === at)?.name ?? at;
    const expected = message.replace(/^Invalid input: expected (.*), received .*$/s, '$1');
    problems.push({ name, text: `expected ${expected}, came ${came(values.get(name))}` });
  }
  if (values.has('KAFKA_BROKERS')) problems.push(...plaintextKafka(env));
  if (parsed.success && problems.length === 0) return parsed.data;
  const lines = problems.map(({ name, text }) => `  ${name}: ${text}`).sort();
  throw new ConcordatError(
    'CONFIG_INVALID',
    `${problems.length} of the settings cannot be used:\n${lines.join('\n')}`,
  );
}
