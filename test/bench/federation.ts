import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MemberId, type UnixMs, parseMemberId } from '@concordat/common/domain/ids.js';
import { parseFederationName } from '@concordat/common/domain/identity.js';
import { openTopicAdmin } from '@concordat/common/io/kafka/topic-admin.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { exampleAgreements } from '@concordat/cli/domain/example-agreement.js';
import { membershipOf } from '@concordat/cli/domain/federation-plan.js';
import { MEMBER_SERVICES } from '@concordat/cli/domain/service-environment.js';
import { initFederation } from '@concordat/cli/io/federation-init.js';
import { freePorts } from '@concordat/cli/io/free-ports.js';
import { homeFiles, homeSettings, readFederationOf } from '@concordat/cli/io/home.js';
import { mainOf } from '@concordat/cli/io/run-service.js';
import { type Child, startService } from './children.js';
import { connect } from './connect.js';
import type { Stage } from './stage.js';

const ASK = { timeoutMs: 60_000, waitForReady: true } as const;
const PROFILE = 'demo'; // one broker: one copy of each topic; all other settings are those of production

/** One origin and its recipients, each service a process, on the stage's broker. */
export interface BenchFederation {
  readonly home: string;
  readonly origin: MemberId;
  readonly recipients: readonly MemberId[];
  /** the running services; others after a restart */
  services(): readonly Child[];
  /** events of the origin that each recipient can read */
  readable(): Promise<number[]>;
  /** events of the origin that a recipient holds without a key, and those that nobody may read again */
  leftOver(): Promise<{ readonly waiting: number; readonly tombstones: number }>;
  /** own events with a recorded key release, for each recipient */
  released(): Promise<number[]>;
  /** Ends all services and starts them again on what they have stored. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A name that no earlier run on the same broker has used. */
function newMember(): MemberId {
  const letters = [...randomBytes(7)].map((byte) => String.fromCharCode(97 + (byte % 26)));
  const id = parseMemberId(letters.join(''));
  if (!id.ok) throw new TypeError('seven letters are a member id');
  return id.value;
}

async function makeHome(
  home: string,
  origin: MemberId,
  recipients: readonly MemberId[],
): Promise<void> {
  const name = parseFederationName('bench');
  if (!name.ok) throw new TypeError('bench is a federation name');
  const ports = await freePorts(MEMBER_SERVICES.length + recipients.length);
  const [node = '', consent = '', revocation = '', ...others] = ports.map(
    (port) => `127.0.0.1:${String(port)}`,
  );
  await initFederation({
    dir: home,
    federation: name.value,
    members: [
      { id: origin, services: { node, consent, revocation } },
      ...recipients.map((id, at) => ({ id, services: { node: others[at] ?? '' } })),
    ],
    clock: systemClock,
    random: systemRandom,
  });
  const members = [origin, ...recipients].map((id) => ({ id, isOrigin: id === origin }));
  const agreements = exampleAgreements(members, (Date.now() - 1_000) as UnixMs);
  await writeFile(homeFiles(home).agreementsFile, JSON.stringify(agreements), { mode: 0o600 });
}

/** @returns once every service answers */
export async function startFederation(
  stage: Stage,
  recipientCount: number,
): Promise<BenchFederation> {
  const origin = newMember();
  const recipients = Array.from({ length: recipientCount }, newMember);
  const home = join(stage.dir, `federation-${origin}`);
  await makeHome(home, origin, recipients);
  const federation = await readFederationOf(home);
  const brokers = stage.brokers.join(',');

  const admin = await openTopicAdmin({
    ...{ brokers: stage.brokers, clientId: 'bench-topics' },
    ...{ clock: systemClock, random: systemRandom },
  });
  await admin.apply(membershipOf(federation), PROFILE).finally(() => admin.close());

  const nameOf = (member: MemberId, service: string): string => {
    if (member === origin) return service === 'node' ? 'origin-node' : service;
    const at = recipients.indexOf(member);
    return at === 0 ? 'recipient-node' : `recipient-${String(at + 1)}-node`;
  };
  const start = (): Child[] =>
    federation.members.flatMap((member) =>
      MEMBER_SERVICES.filter((service) => member.services[service] !== undefined).map((service) => {
        const name = nameOf(member.id, service);
        const plan = {
          ...{ name, nodeOptions: stage.nodeOptions(name), main: mainOf(service) },
          env: {
            ...homeSettings({ home, member, service, brokers, profile: PROFILE }),
            // one officer takes back whole orders; what is measured is not how people agree
            ...(service !== 'consent' && { CONCORDAT_APPROVALS_ABOVE: '1000000' }),
          },
        };
        return stage.own(startService(plan, join(home, 'logs'), stage.fail));
      }),
    );

  let services = start();
  const operators = await Promise.all(
    [origin, ...recipients].map((member) => connect({ home, member }, 'operator')),
  );
  const [atOrigin, ...atRecipients] = operators;
  if (!atOrigin) throw new TypeError('a federation has an origin');
  const consent = await connect({ home, member: origin }, 'consent');
  const purge = await connect({ home, member: origin }, 'purge');
  const untilUp = async (): Promise<void> => {
    const nodes = operators.map(({ client }) => client.status({}, ASK));
    await Promise.all([...nodes, consent.client.status({}, ASK), purge.client.list({}, ASK)]);
  };
  const partners = async () =>
    Promise.all(
      atRecipients.map(async ({ client }) => {
        const status = await client.status({}, ASK);
        const partner = status.partners.find(({ member }) => member === origin);
        if (!partner) throw new Error('a recipient does not know its origin');
        return partner;
      }),
    );
  await stage.unlessFailed(untilUp());

  return {
    ...{ home, origin, recipients },
    services: () => services,
    readable: async () => (await partners()).map(({ readable }) => readable),
    leftOver: async () => {
      const all = await partners();
      const sum = (of: (one: (typeof all)[number]) => number): number =>
        all.reduce((total, one) => total + of(one), 0);
      return { waiting: sum(({ waiting }) => waiting), tombstones: sum((one) => one.tombstones) };
    },
    released: async () => {
      const { released } = await atOrigin.client.status({}, ASK);
      return recipients.map((member) => released[member] ?? 0);
    },
    restart: async () => {
      await Promise.all(services.map((service) => service.stop()));
      services = start();
      await stage.unlessFailed(untilUp());
    },
    stop: async () => {
      for (const connection of [...operators, consent, purge]) connection.close();
      await Promise.all(services.map((service) => service.stop()));
      await rm(join(home, 'data'), { recursive: true, force: true });
    },
  };
}
