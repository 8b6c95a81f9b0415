import type { MemberId } from './ids.js';

/** A direction: an origin's events, orders and releases go to a recipient, receipts come back. */
export interface Direction {
  readonly origin: MemberId;
  readonly recipient: MemberId;
}

export function eventsTopic(origin: MemberId): string {
  return `events.${origin}`;
}

export function feedTopic({ origin, recipient }: Direction): string {
  return `feed.${origin}.${recipient}`;
}

export function ledgerTopic(origin: MemberId): string {
  return `ledger.${origin}`;
}

/** Who leaves this origin's circle, and who has left. */
export function membershipTopic(origin: MemberId): string {
  return `membership.${origin}`;
}

/** Who may derive which event of its own from which event of this origin. */
export function grantsTopic(origin: MemberId): string {
  return `grants.${origin}`;
}

export function purgeTopic({ origin, recipient }: Direction): string {
  return `purge.${origin}.${recipient}`;
}

export function receiptsTopic({ origin, recipient }: Direction): string {
  return `receipts.${recipient}.${origin}`;
}

export function quarantineTopic(member: MemberId): string {
  return `quarantine.${member}`;
}

/** `production` refuses a broker that could lose or invent records; `demo` says so and goes on. */
export type Profile = 'demo' | 'production';

/** A topic's name with `<origin>`, `<recipient>` or `<member>` in it, and what every topic of that name is like. */
export interface TopicPattern {
  readonly name: string;
  readonly lanes: number;
  /** The broker's names and values; what is not named is left to the broker. */
  readonly settings: Readonly<Record<string, string>>;
}

/** `infra/topics.json`. */
export interface TopicCatalogue {
  readonly profiles: Readonly<
    Record<
      Profile,
      { readonly replication: number; readonly settings: Readonly<Record<string, string>> }
    >
  >;
  readonly everyTopic: Readonly<Record<string, string>>;
  readonly topics: readonly TopicPattern[];
}

/** One topic as it is, or as it should be. */
export interface Topic {
  readonly name: string;
  readonly lanes: number;
  /** Copies of each lane. */
  readonly replication: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** Who is in the federation; `origins` publish, every member may receive. */
export interface Membership {
  readonly members: readonly MemberId[];
  readonly origins: readonly MemberId[];
}

export type TopicFinding =
  | { readonly kind: 'ok'; readonly topic: string }
  | { readonly kind: 'create'; readonly topic: string; readonly wanted: Topic }
  | {
      readonly kind: 'differs';
      readonly topic: string;
      /** `lanes`, `replication`, or the broker's name of a setting. */
      readonly setting: string;
      readonly expected: string;
      readonly got: string;
    };

/** Every topic of the federation, by name. A member has no feed, purge ledger or receipts with itself. */
export function wantedTopics(
  catalogue: TopicCatalogue,
  { members, origins }: Membership,
  profile: Profile,
): readonly Topic[] {
  return catalogue.topics
    .flatMap((pattern) =>
      namesOf(pattern.name, members, origins).map((name) => ({ name, pattern })),
    )
    .map(({ name, pattern }) => asTopic(catalogue, profile, name, pattern))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a topic of this name should be like; `undefined` for a name that is none of ours. */
export function wantedTopic(
  catalogue: TopicCatalogue,
  name: string,
  profile: Profile,
): Topic | undefined {
  const pattern = catalogue.topics.find((each) => matches(each.name, name));
  return pattern && asTopic(catalogue, profile, name, pattern);
}

/** Compares what should be with what is: one finding per missing topic and per difference, one `ok` for every other. */
export function planTopics(
  wanted: readonly Topic[],
  actual: readonly Topic[],
): readonly TopicFinding[] {
  const byName = new Map(actual.map((topic) => [topic.name, topic]));
  return wanted.flatMap((topic) => compare(topic, byName.get(topic.name)));
}

function compare(wanted: Topic, actual: Topic | undefined): readonly TopicFinding[] {
  const topic = wanted.name;
  if (actual === undefined) return [{ kind: 'create', topic, wanted }];
  const expected = new Map(facts(wanted));
  const got = new Map(facts(actual));
  const differences = [...expected]
    .filter(([setting, value]) => got.get(setting) !== value)
    .map(([setting, value]) => {
      const found = got.get(setting) ?? 'nothing';
      return { kind: 'differs' as const, topic, setting, expected: value, got: found };
    });
  return differences.length > 0 ? differences : [{ kind: 'ok', topic }];
}

function facts({ lanes, replication, settings }: Topic): readonly (readonly [string, string])[] {
  return [
    ['lanes', String(lanes)],
    ['replication', String(replication)],
    ...Object.entries(settings),
  ];
}

function asTopic(
  { everyTopic, profiles }: TopicCatalogue,
  profile: Profile,
  name: string,
  { lanes, settings }: TopicPattern,
): Topic {
  const chosen = profiles[profile];
  const all = { ...everyTopic, ...chosen.settings, ...settings };
  return { name, lanes, replication: chosen.replication, settings: all };
}

function namesOf(
  pattern: string,
  members: readonly MemberId[],
  origins: readonly MemberId[],
): readonly string[] {
  if (!pattern.includes('<')) return [pattern];
  if (pattern.includes('<member>')) return members.map((id) => pattern.replace('<member>', id));
  return origins.flatMap((origin) => {
    const name = pattern.replace('<origin>', origin);
    if (!name.includes('<recipient>')) return [name];
    return members
      .filter((recipient) => recipient !== origin)
      .map((recipient) => name.replace('<recipient>', recipient));
  });
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('.');
  const given = name.split('.');
  if (parts.length !== given.length) return false;
  return parts.every((part, index) =>
    part.startsWith('<') ? /^[a-z]{2,8}$/.test(given[index] ?? '') : part === given[index],
  );
}
