import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Federation } from '@concordat/common/domain/federation.js';
import { parseFederationName } from '@concordat/common/domain/identity.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import { readFederationFile } from '@concordat/common/io/federation-file.js';
import { MEMBER_SERVICES } from '../domain/service-environment.js';
import { freePorts } from '../io/free-ports.js';
import { federationFiles, initFederation } from '../io/federation-init.js';
import { homeSettings } from '../io/home.js';
import { mainOf } from '../io/run-service.js';
import { OWN_NAMES, type Places } from './places.js';
import { FEDERATION, ORIGIN, ORIGINS, RECIPIENTS, agreementsFile } from './scenario.js';
import type { ProcessPlan } from './supervisor.js';

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
  const ids = [ORIGIN, ...RECIPIENTS];
  const free = await freePorts(ids.length * MEMBER_SERVICES.length);
  const addresses = free.map((port) => `127.0.0.1:${String(port)}`);
  await initFederation({
    dir: places.dir,
    federation: name.value,
    members: ids.map((id) => {
      const [node = '', consent = '', revocation = ''] = addresses.splice(
        0,
        MEMBER_SERVICES.length,
      );
      return { id, services: ORIGINS.includes(id) ? { node, consent, revocation } : { node } };
    }),
    ...ports,
  });
  const agreements = JSON.stringify(agreementsFile(ports.clock.nowMs()), undefined, 2);
  await writeFile(places.agreementsFile, `${agreements}\n`, { mode: 0o600 });
  return readFederationFile(federationFiles(places.dir).federationFile);
}

export function processPlans(
  places: Places,
  federation: Federation,
  brokers: readonly string[],
  servicesDir: string,
): ProcessPlan[] {
  const shared = { home: places.dir, brokers: brokers.join(','), profile: 'demo' };
  return federation.members.flatMap((member) =>
    MEMBER_SERVICES.filter((service) => member.services[service] !== undefined).map(
      (service): ProcessPlan => ({
        name: `${member.id}-${service}`,
        main: mainOf(service, servicesDir),
        env: homeSettings({ ...shared, member, service }),
      }),
    ),
  );
}
