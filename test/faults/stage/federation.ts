import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { FederationName } from '@concordat/common/domain/identity.js';
import { openTopicAdmin } from '@concordat/common/io/kafka/topic-admin.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { exampleAgreements } from '@concordat/cli/domain/example-agreement.js';
import { membershipOf } from '@concordat/cli/domain/federation-plan.js';
import { MEMBER_SERVICES, type MemberService } from '@concordat/cli/domain/service-environment.js';
import { initFederation } from '@concordat/cli/io/federation-init.js';
import { freePorts } from '@concordat/cli/io/free-ports.js';
import { homeFiles, homeSettings, readFederationOf } from '@concordat/cli/io/home.js';
import { mainOf } from '@concordat/cli/io/run-service.js';
import { connect } from '#bench/connect.js';
import type { Cluster } from './cluster.js';
import { Supervised } from './supervised.js';

export const ORIGIN = 'un' as MemberId;
export const RECIPIENTS = ['de' as MemberId, 'fr' as MemberId] as const;
export const MEMBERS: readonly MemberId[] = [ORIGIN, ...RECIPIENTS];
/** The defaults of production, three copies of each topic among them. */
const PROFILE = 'production';
const ASK = { timeoutMs: 60_000, waitForReady: true } as const;

type Opened<D extends Parameters<typeof connect>[1]> = Awaited<ReturnType<typeof connect<D>>>;

/** One origin with all its services and two recipients, each service a supervised process. */
export interface Stage {
  readonly home: string;
  readonly cluster: Cluster;
  readonly services: ReadonlyMap<string, Supervised>;
  readonly national: ReadonlyMap<MemberId, Opened<'national'>['client']>;
  readonly operator: ReadonlyMap<MemberId, Opened<'operator'>['client']>;
  readonly purge: Opened<'purge'>['client'];
  service(member: MemberId, service: MemberService): Supervised;
  dataDir(member: MemberId, service: MemberService): string;
  /** Makes the topics that are missing. */
  makeTopics(): Promise<void>;
  /** Resolves when every node that is up answers. */
  untilUp(): Promise<void>;
}

async function makeHome(home: string): Promise<Federation> {
  const ports = await freePorts(MEMBER_SERVICES.length + RECIPIENTS.length);
  const take = (): string => `127.0.0.1:${String(ports.pop() ?? 0)}`;
  await initFederation({
    dir: home,
    federation: 'faults' as FederationName,
    members: [
      { id: ORIGIN, services: { node: take(), consent: take(), revocation: take() } },
      ...RECIPIENTS.map((id) => ({ id, services: { node: take() } })),
    ],
    clock: systemClock,
    random: systemRandom,
  });
  const members = MEMBERS.map((id) => ({ id, isOrigin: id === ORIGIN }));
  const agreements = exampleAgreements(members, (Date.now() - 1_000) as UnixMs);
  await writeFile(homeFiles(home).agreementsFile, JSON.stringify(agreements), { mode: 0o600 });
  return readFederationOf(home);
}

/** Resolves when every service answers. */
export async function startFederation(about: {
  readonly dir: string;
  readonly cluster: Cluster;
  /** takes what ends it, whatever becomes of its start */
  readonly ended: (() => Promise<unknown>)[];
  /** called when the directories of data are known, before anything is started */
  readonly prepare: (dataDirs: ReadonlyMap<string, string>) => Promise<void>;
}): Promise<Stage> {
  const { dir, cluster, ended, prepare } = about;
  const home = join(dir, 'home');
  const logs = join(dir, 'logs');
  await mkdir(logs, { recursive: true });
  const federation = await makeHome(home);
  const makeTopics = async (): Promise<void> => {
    const admin = await openTopicAdmin({
      ...{ brokers: cluster.direct, clientId: 'faults-topics' },
      ...{ clock: systemClock, random: systemRandom },
    });
    await admin.apply(membershipOf(federation), PROFILE).finally(() => admin.close());
  };
  const services = new Map(
    federation.members.flatMap((member) =>
      MEMBER_SERVICES.filter((service) => member.services[service] !== undefined).map((service) => {
        const name = `${member.id}-${service}`;
        const brokers = cluster.addressesFor(member.id).join(',');
        const env = {
          ...homeSettings({ home, member, service, brokers, profile: PROFILE }),
          // one officer takes back what a run takes back; how people agree is shown elsewhere
          ...(service !== 'consent' && { CONCORDAT_APPROVALS_ABOVE: '1000000' }),
        };
        const logFile = join(logs, `${name}.log`);
        return [name, new Supervised({ name, main: mainOf(service), env, logFile })] as const;
      }),
    ),
  );
  const dirs = [...services].map(
    ([name, { plan }]) => [name, plan.env['CONCORDAT_DATA_DIR'] ?? ''] as const,
  );
  await Promise.all([makeTopics(), prepare(new Map(dirs))]);
  ended.push(() => Promise.all([...services.values()].map((service) => service.down('SIGKILL'))));
  for (const service of services.values()) service.up();
  const open = <D extends Parameters<typeof connect>[1]>(name: D) =>
    Promise.all(
      MEMBERS.map(async (member) => [member, await connect({ home, member }, name)] as const),
    );
  const [nationals, operators] = await Promise.all([open('national'), open('operator')]);
  const purge = await connect({ home, member: ORIGIN }, 'purge');
  const consent = await connect({ home, member: ORIGIN }, 'consent');
  ended.push(async () => {
    for (const [, one] of [...nationals, ...operators]) one.close();
    for (const one of [purge, consent]) one.close();
  });
  const clientOf = (name: string): Supervised => {
    const found = services.get(name);
    if (!found) throw new TypeError(`${name} runs nowhere`);
    return found;
  };
  const stage: Stage = {
    ...{ home, cluster, services, makeTopics },
    national: new Map(nationals.map(([member, { client }]) => [member, client])),
    operator: new Map(operators.map(([member, { client }]) => [member, client])),
    purge: purge.client,
    service: (member, service) => clientOf(`${member}-${service}`),
    dataDir: (member, service) => homeFiles(home).member(member).dataDir(service),
    untilUp: async () => {
      const nodes = operators.map(([, { client }]) => client.status({}, ASK));
      await Promise.all([...nodes, consent.client.status({}, ASK), purge.client.list({}, ASK)]);
    },
  };
  await stage.untilUp();
  return stage;
}
