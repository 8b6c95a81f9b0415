import { join } from 'node:path';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { MemberService } from '../domain/service-environment.js';
import { homeFiles } from '../io/home.js';

/** Where the demo keeps what; all of it below one directory, laid out as any federation's home. */
export function placesIn(dir: string) {
  const home = homeFiles(dir);
  return {
    dir,
    agreementsFile: home.agreementsFile,
    backupsDir: join(dir, 'backups'),
    certificatesDir: join(dir, 'certificates'),
    /** of the further scenes' orders */
    sceneCertificatesDir: join(dir, 'scene-certificates'),
    logsDir: join(dir, 'logs'),
    topicsDir: join(dir, 'topics'),
    dataDir: (member: MemberId, service: MemberService) => home.member(member).dataDir(service),
  };
}
export type Places = ReturnType<typeof placesIn>;

/** What an earlier run left here; nothing else in the directory is touched. */
export const OWN_NAMES = [
  'agreements.json',
  'backups',
  'broker',
  'certificates',
  'data',
  'federation.json',
  'logs',
  'members',
  'report.json',
  'scene-certificates',
  'topics',
  'trust.json',
] as const;
