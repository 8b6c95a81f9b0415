import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyCertificate } from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import { readTrustFile } from '@concordat/common/io/federation-file.js';
import type { DemoClients } from './clients.js';
import { insist } from './patience.js';

const CERTIFICATE_TIMEOUT_MS = 10_000;

/** Writes the certificate of every order as DSSE JSON. @returns how many */
export async function fetchCertificates(
  clock: Clock,
  { purge }: DemoClients,
  orderIds: readonly string[],
  dir: string,
): Promise<number> {
  await mkdir(dir, { recursive: true });
  for (const orderId of orderIds) {
    const { dsseJson } = await insist(clock, () =>
      purge.certificate(
        { orderId, evenIncomplete: false },
        { timeoutMs: CERTIFICATE_TIMEOUT_MS, waitForReady: true },
      ),
    );
    await writeFile(join(dir, `${orderId}.json`), `${dsseJson}\n`);
  }
  return orderIds.length;
}

/** Verifies every file of the folder with the trust file alone. @returns how many are valid */
export async function verifyCertificates(
  codec: RecordCodec,
  dir: string,
  trustFile: string,
): Promise<number> {
  const keys = new KeyRing(await readTrustFile(trustFile));
  let verified = 0;
  for (const name of await readdir(dir)) {
    const text = await readFile(join(dir, name), 'utf8');
    const signed = verifyDsse(codec, keys, 'Certificate', text);
    const proven = signed.ok ? verifyCertificate(codec, keys, signed.value.value) : signed;
    if (proven.ok) verified += 1;
  }
  return verified;
}
