import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { verifyCertificate } from '@concordat/common/domain/certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import { readTrustFile } from '@concordat/common/io/federation-file.js';
import { type CertificateReport, certificateReport } from '../domain/certificate-report.js';
import { SCHEMAS_DIR } from './home.js';
import { readInput } from './read-input.js';

/** @throws ConcordatError CONFIG_INVALID: a trust file that nobody chose must at least be there */
function trustFileFor(file: string): string {
  const beside = dirname(file === '-' ? '.' : file);
  const places = [join(beside, 'trust.json'), join(beside, '..', 'trust.json')];
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) return found;
  const text = `--trust: expected a trust file, came none, and ${places.join(' and ')} do not exist`;
  throw new ConcordatError('CONFIG_INVALID', text);
}

/**
 * Checks a certificate with public keys and files only.
 *
 * @throws ConcordatError CERTIFICATE_INVALID with the first thing that does not hold
 */
export async function verifyCertificateFile(
  file: string,
  trust: string | undefined,
  stdin: NodeJS.ReadableStream,
): Promise<{ readonly report: CertificateReport; readonly trustFile: string }> {
  const text = Buffer.from(await readInput(file, stdin)).toString('utf8');
  const trustFile = trust ?? trustFileFor(file);
  const keys = new KeyRing(await readTrustFile(trustFile));
  const codec = openRecordCodec(SCHEMAS_DIR);
  const signed = verifyDsse(codec, keys, 'Certificate', text);
  if (!signed.ok) throw signed.error;
  const purge = verifyCertificate(codec, keys, signed.value.value);
  if (!purge.ok) throw purge.error;
  return { report: certificateReport(codec, signed.value.value, purge.value), trustFile };
}
