import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkKeyRecord } from '@concordat/common/domain/certificate/left-out.js';
import { verifyCertificate } from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyNotice } from '@concordat/common/domain/default-notice.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import { type LedgerFile, verifyLedgerFile } from '@concordat/common/domain/ledger-file.js';
import { verifyReceipt } from '@concordat/common/domain/receipt.js';
import type { DefaultNotice, Receipt, RecordCodec } from '@concordat/common/domain/records.js';
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

/** A file to check, and whose public keys to believe. */
export interface Proof {
  readonly file: string;
  readonly trust: string | undefined;
  readonly stdin: NodeJS.ReadableStream;
}

/** The text of a proof, with all that is needed to check it: public keys and files only. */
async function readProof({ file, trust, stdin }: Proof): Promise<{
  readonly text: string;
  readonly trustFile: string;
  readonly keys: KeyRing;
  readonly codec: RecordCodec;
}> {
  const text = Buffer.from(await readInput(file, stdin)).toString('utf8');
  const trustFile = trust ?? trustFileFor(file);
  const keys = new KeyRing(await readTrustFile(trustFile));
  return { text, trustFile, keys, codec: openRecordCodec(SCHEMAS_DIR) };
}

/** @throws ConcordatError CERTIFICATE_INVALID with the first thing that does not hold */
export async function verifyCertificateFile(
  proof: Proof & {
    /** a ledger record that came with keys, in base64 */
    readonly keyRecord: string | undefined;
  },
): Promise<{ readonly report: CertificateReport; readonly trustFile: string }> {
  const { text, trustFile, keys, codec } = await readProof(proof);
  const signed = verifyDsse(codec, keys, 'Certificate', text);
  if (!signed.ok) throw signed.error;
  const purge = verifyCertificate(codec, keys, signed.value.value);
  if (!purge.ok) throw purge.error;
  if (proof.keyRecord !== undefined) {
    const text = Buffer.from(await readInput(proof.keyRecord, proof.stdin)).toString('utf8');
    const about = { certificate: signed.value.value, purge: purge.value };
    const named = checkKeyRecord(codec, keys, about, recordOf(text.trim(), 0));
    if (!named.ok) throw named.error;
  }
  return { report: certificateReport(purge.value), trustFile };
}

/** @throws ConcordatError NOTICE_INVALID with the first thing that does not hold */
export async function verifyNoticeFile(
  proof: Proof,
): Promise<{ readonly notice: DefaultNotice; readonly trustFile: string }> {
  const { text, trustFile, keys, codec } = await readProof(proof);
  const notice = verifyNotice(codec, keys, text);
  if (!notice.ok) throw notice.error;
  return { notice: notice.value, trustFile };
}

/** @throws ConcordatError RECEIPT_INVALID with the first thing that does not hold */
export async function verifyReceiptFile(
  proof: Proof & { readonly entry: string | undefined },
): Promise<{ readonly receipt: Receipt; readonly trustFile: string }> {
  const { text, trustFile, keys, codec } = await readProof(proof);
  const entry =
    proof.entry === undefined
      ? undefined
      : Buffer.from(await readInput(proof.entry, proof.stdin)).toString('utf8');
  const receipt = verifyReceipt(codec, keys, { receipt: text, entry });
  if (!receipt.ok) throw receipt.error;
  return { receipt: receipt.value, trustFile };
}

/** @throws ConcordatError with the first thing that does not hold, and in which record */
export async function verifyLedgerFileOf(
  proof: Proof & { readonly until: number },
): Promise<{ readonly ledger: LedgerFile; readonly trustFile: string }> {
  const { text, trustFile, keys, codec } = await readProof(proof);
  const records = text.split('\n').filter((line) => line !== '');
  const ledger = verifyLedgerFile(codec, keys, records.map(recordOf), proof.until);
  if (!ledger.ok) throw ledger.error;
  return { ledger: ledger.value, trustFile };
}

function recordOf(line: string, at: number): Uint8Array {
  const bytes = Buffer.from(line, 'base64');
  if (bytes.toString('base64') === line) return Uint8Array.from(bytes);
  const text = `line ${String(at + 1)}: expected one record in base64`;
  throw new ConcordatError('RECORD_MALFORMED', text);
}
