import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Federation } from '@concordat/common/domain/federation.js';
import { parseFederationName } from '@concordat/common/domain/identity.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import { readFederationFile } from '@concordat/common/io/federation-file.js';
import { federationFiles, initFederation, memberFiles } from '../io/federation-init.js';
import { type DemoService, OWN_NAMES, type Places, SCHEMAS_DIR, mainOf } from './places.js';
import { FEDERATION, ORIGIN, RECIPIENTS, agreementsFile } from './scenario.js';
import type { ProcessPlan } from './supervisor.js';

const ORIGIN_SERVICES = ['node', 'consent', 'revocation'] as const;

/** Removes what an earlier demo left in the directory, then makes keys, certificates and files for this run. */
export async function makeFederation(
  places: Places,
  ports: { readonly clock: Clock; readonly random: Random },
): Promise<Federation> {
  await mkdir(places.dir, { recursive: true });
  for (const name of await readdir(places.dir)) {
    if ((OWN_NAMES as readonly string[]).includes(name)) {
      await rm(join(places.dir, name), { recursive: true, force: true });
    }
  }
  const name = parseFederationName(FEDERATION);
  if (!name.ok) throw new TypeError('the demo federation has no proper name');
  const addresses = (await freePorts(ORIGIN_SERVICES.length + RECIPIENTS.length)).map(
    (port) => `127.0.0.1:${String(port)}`,
  );
  const [node = '', consent = '', revocation = '', ...others] = addresses;
  await initFederation({
    dir: places.dir,
    federation: name.value,
    members: [
      { id: ORIGIN, services: { node, consent, revocation } },
      ...RECIPIENTS.map((id, at) => ({ id, services: { node: others[at] ?? '' } })),
    ],
    ...ports,
  });
  const agreements = JSON.stringify(agreementsFile(ports.clock.nowMs()), undefined, 2);
  await writeFile(places.agreementsFile, `${agreements}\n`, { mode: 0o600 });
  return readFederationFile(federationFiles(places.dir).federationFile);
}

/** All at once, so that no two are the same; fixed for the run, so that a restarted service is found again. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export function processPlans(
  places: Places,
  federation: Federation,
  brokers: readonly string[],
  servicesDir: string,
): ProcessPlan[] {
  return federation.members.flatMap(({ id, services }) =>
    ORIGIN_SERVICES.flatMap((service): ProcessPlan[] => {
      const address = services[service];
      if (address === undefined) return [];
      const env = serviceEnv({ places, member: id, service, address, brokers });
      return [{ name: `${id}-${service}`, main: mainOf(servicesDir, service), env }];
    }),
  );
}

function serviceEnv(about: {
  readonly places: Places;
  readonly member: MemberId;
  readonly service: DemoService;
  readonly address: string;
  readonly brokers: readonly string[];
}): Record<string, string> {
  const { places, member, service, address, brokers } = about;
  const files = memberFiles(places.dir, member);
  return {
    KAFKA_BROKERS: brokers.join(','),
    CONCORDAT_MEMBER: member,
    CONCORDAT_PROFILE: 'demo',
    CONCORDAT_FEDERATION_FILE: federationFiles(places.dir).federationFile,
    CONCORDAT_DATA_DIR: places.dataDir(member, service),
    CONCORDAT_SCHEMAS_DIR: SCHEMAS_DIR,
    CONCORDAT_GRPC__LISTEN: address,
    CONCORDAT_TLS__CERT_FILE: files.certFile(service),
    CONCORDAT_TLS__KEY_FILE: files.keyFile(service),
    CONCORDAT_SIGNING_KEY_FILE: files.signingKeyFile(service),
    ...(service === 'revocation' ? {} : { CONCORDAT_AGREEMENTS_FILE: places.agreementsFile }),
  };
}
