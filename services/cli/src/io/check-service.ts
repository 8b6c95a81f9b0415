import { execFile } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { promisify } from 'node:util';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { type Federation, KeyRing } from '@concordat/common/domain/federation.js';
import { identityUri } from '@concordat/common/domain/identity.js';
import type { UnixMs } from '@concordat/common/domain/ids.js';
import { openCategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
} from '@concordat/common/io/federation-file.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import { ownIdentity } from '@concordat/common/io/rpc/tls.js';
import type { MemberService } from '../domain/service-environment.js';
import { repositoryPath } from './home.js';

const run = promisify(execFile);
const PROBE_MS_MAX = 20_000;

/**
 * A service's own reader of settings, in a process of its own: the only one that knows them all. The first function that
 * `config.js` exports reads an environment, or throws an error that names every variable.
 */
const PROBE = `
const read = Object.values(await import(process.argv[1])).find((one) => typeof one === 'function');
try { read(process.env); } catch (cause) { process.stdout.write(String(cause.message)); }
`;

type Environment = Readonly<Record<string, string>>;
type Check = () => unknown;

/**
 * All that keeps a service from starting, as far as it can be seen without starting it.
 *
 * @param env what its process would be started with
 * @returns one text for each problem
 */
export async function problemsOfService(
  service: MemberService,
  env: Environment,
  nowMs: UnixMs,
): Promise<readonly string[]> {
  const settings = await problemsOfSettings(service, env);
  const setting = (name: string): string => env[`CONCORDAT_${name}`] ?? '';
  const given = (name: string, check: Check): readonly Check[] =>
    setting(name) === '' ? [] : [check];
  const federationFile = setting('FEDERATION_FILE');
  const checks: readonly Check[] = [
    ...given('SCHEMAS_DIR', () => openCategoryCodec(setting('SCHEMAS_DIR'))),
    ...given('AGREEMENTS_FILE', () => readPolicyFile(setting('AGREEMENTS_FILE'))),
    ...given('FEDERATION_FILE', () => readFederationFile(federationFile)),
  ];
  const found = [...settings, ...(await failuresOf(checks))];
  const federation = await readFederationFile(federationFile).catch(() => undefined);
  if (federation === undefined) return found;
  const own = { service, member: setting('MEMBER'), federation };
  const [certFile, keyFile] = [setting('TLS__CERT_FILE'), setting('TLS__KEY_FILE')];
  const signingKeyFile = setting('SIGNING_KEY_FILE');
  const identityChecks: readonly Check[] = [
    ...given('TLS__CERT_FILE', () => checkCertificate(own, { certFile, keyFile, nowMs })),
    ...given('SIGNING_KEY_FILE', () => checkSigningKey(own, signingKeyFile)),
  ];
  return [...found, ...(await failuresOf(identityChecks))];
}

async function problemsOfSettings(
  service: MemberService,
  env: Environment,
): Promise<readonly string[]> {
  const config = repositoryPath(`services/${service}/dist/config.js`);
  const args = ['--input-type=module', '--eval', PROBE, config];
  const { stdout } = await run(process.execPath, args, { env, timeout: PROBE_MS_MAX });
  const [, ...lines] = stdout.split('\n');
  return lines.map((line) => line.trim());
}

async function failuresOf(checks: readonly Check[]): Promise<readonly string[]> {
  const results = await Promise.allSettled(checks.map(async (check) => check()));
  return results.flatMap((result) =>
    result.status === 'rejected' ? [onOneLine(asConcordatError(result.reason).message)] : [],
  );
}

function onOneLine(text: string): string {
  return text.replaceAll(/\n\s*/g, ' ');
}

interface Own {
  readonly service: MemberService;
  readonly member: string;
  readonly federation: Federation;
}

async function checkCertificate(
  { service, member, federation }: Own,
  files: { readonly certFile: string; readonly keyFile: string; readonly nowMs: UnixMs },
): Promise<void> {
  const tls = await readTlsFiles({ ...files, ca: federation.ca });
  const certificate = new X509Certificate(tls.cert);
  const authority = new X509Certificate(federation.ca);
  const expected = `concordat://${federation.federation}/${member}/${service}`;
  const came = identityUri(ownIdentity(tls));
  const fail = (text: string): never => {
    throw new Error(`${files.certFile}: ${text}`);
  };
  if (came !== expected) fail(`expected a certificate of ${expected}, came one of ${came}`);
  if (!certificate.verify(authority.publicKey)) fail("expected one of the federation's CA");
  if (!certificate.checkPrivateKey(createPrivateKey(tls.key))) {
    fail(`expected the private key of the certificate in ${files.keyFile}, came another one`);
  }
  if (Date.parse(certificate.validTo) <= files.nowMs) fail(`expired at ${certificate.validTo}`);
}

async function checkSigningKey({ service, member, federation }: Own, path: string): Promise<void> {
  const { keyId } = await readSigningKey(path);
  const known = new KeyRing(federation).find(keyId);
  if (known?.member === member && known.role === service) return;
  throw new Error(
    `${path}: expected a key that the federation file lists for ${service} of ${member}`,
  );
}
