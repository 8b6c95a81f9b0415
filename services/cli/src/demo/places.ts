import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MemberId } from '@concordat/common/domain/ids.js';

export type DemoService = 'node' | 'consent' | 'revocation';

const repository = (path: string): string =>
  fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

export const SCHEMAS_DIR = repository('schemas');

/** Where the built services are, each as `<service>/dist/main.js`. */
export const SERVICES_DIR = repository('services');

/** The entry of a built service. */
export function mainOf(servicesDir: string, service: DemoService): string {
  return join(servicesDir, service, 'dist', 'main.js');
}

/** Where the demo keeps what; all of it below one directory. */
export function placesIn(dir: string) {
  return {
    dir,
    agreementsFile: join(dir, 'agreements.json'),
    certificatesDir: join(dir, 'certificates'),
    logsDir: join(dir, 'logs'),
    topicsDir: join(dir, 'topics'),
    dataDir: (member: MemberId, service: DemoService) => join(dir, 'data', member, service),
  };
}
export type Places = ReturnType<typeof placesIn>;

/** What an earlier run left here; nothing else in the directory is touched. */
export const OWN_NAMES = [
  'agreements.json',
  'broker',
  'certificates',
  'data',
  'federation.json',
  'logs',
  'members',
  'report.json',
  'topics',
  'trust.json',
] as const;
