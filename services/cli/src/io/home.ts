import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation, Member } from '@concordat/common/domain/federation.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { readFederationFile } from '@concordat/common/io/federation-file.js';
import type { MemberService } from '../domain/service-environment.js';
import { federationFiles, memberFiles } from './federation-init.js';

/** A path of this repository: the command line and the services come and go together. */
export function repositoryPath(path: string): string {
  return fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
}

export const SCHEMAS_DIR = repositoryPath('schemas');

/** Where a federation's directory keeps what; the demo's directory is laid out the same way. */
export function homeFiles(dir: string) {
  return {
    ...federationFiles(dir),
    agreementsFile: join(dir, 'agreements.json'),
    brokerDir: join(dir, 'broker'),
    member: (id: MemberId) => ({
      ...memberFiles(dir, id),
      dataDir: (service: MemberService) => join(dir, 'data', id, service),
    }),
  };
}

export function readFederationOf(home: string): Promise<Federation> {
  return readFederationFile(federationFiles(home).federationFile);
}

/** @throws ConcordatError CONFIG_INVALID naming the members that there are */
export function memberIn(federation: Federation, id: MemberId): Member {
  const found = federation.members.find((member) => member.id === id);
  if (found) return found;
  const known = federation.members.map((member) => member.id).join(', ');
  throw new ConcordatError('CONFIG_INVALID', `--member: expected one of ${known}, came ${id}`);
}

/** @throws ConcordatError CONFIG_INVALID when the member runs no such service */
export function endpointOf(member: Member, service: MemberService): string {
  const address = member.services[service];
  if (address !== undefined) return address;
  throw new ConcordatError(
    'CONFIG_INVALID',
    `--member: expected a member with a ${service} service in federation.json, came ${member.id}`,
  );
}

/** The settings of a service as its member's home lays them out. */
export function homeSettings(about: {
  readonly home: string;
  readonly member: Member;
  readonly service: MemberService;
  readonly brokers: string;
  readonly profile: string;
}): Readonly<Record<string, string>> {
  const { home, member, service, brokers, profile } = about;
  const { federationFile, agreementsFile, member: filesOf } = homeFiles(home);
  const files = filesOf(member.id);
  return {
    KAFKA_BROKERS: brokers,
    CONCORDAT_MEMBER: member.id,
    CONCORDAT_PROFILE: profile,
    CONCORDAT_FEDERATION_FILE: federationFile,
    CONCORDAT_DATA_DIR: files.dataDir(service),
    CONCORDAT_SCHEMAS_DIR: SCHEMAS_DIR,
    CONCORDAT_GRPC__LISTEN: endpointOf(member, service),
    CONCORDAT_TLS__CERT_FILE: files.certFile(service),
    CONCORDAT_TLS__KEY_FILE: files.keyFile(service),
    CONCORDAT_SIGNING_KEY_FILE: files.signingKeyFile(service),
    ...(service === 'revocation' ? {} : { CONCORDAT_AGREEMENTS_FILE: agreementsFile }),
  };
}
