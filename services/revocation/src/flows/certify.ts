import { equalBytes } from '@concordat/common/domain/bytes.js';
import {
  type CertifiedPurge,
  verifyCertificate,
} from '@concordat/common/domain/certificate/verify-certificate.js';
import { toDsseJson, verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId, UnixMs } from '@concordat/common/domain/ids.js';
import type { Certificate, CertifiedHolder, SealRecord } from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { type Verified, signStatement, statementHash } from '@concordat/common/domain/statement.js';
import { buildCertificate, lastSealNumber } from '../domain/certificate-build.js';
import { type ReadSeal, readSealAnswer } from '../domain/seal-answer.js';
import type { RevocationContext } from './context.js';

/**
 * Builds, signs and checks the certificate of an order that everybody answered, and closes the order with it. Call inside of a
 * transaction.
 */
export function certify(
  context: RevocationContext,
  order: Verified<'PurgeOrder'>,
): Result<'closed', ConcordatError> {
  const { store, clock } = context;
  const { orderId } = order.value;
  const nowMs = clock.nowMs();
  const certificate = certificateAsOf(context, order, nowMs);
  if (!certificate.ok) return certificate;
  const { dsseJson, missing } = certificate.value;
  if (missing.length > 0) {
    const text = 'expected a final answer to every entry, came an open one';
    return err(new ConcordatError('CERTIFICATE_NOT_READY', text));
  }
  if (store.orders.advance(orderId, { kind: 'certified' })?.kind !== 'closed') {
    throw new TypeError('expected an order that everybody answered');
  }
  store.orders.keepCertificate(orderId, dsseJson, nowMs);
  return ok('closed');
}

/**
 * A certificate as of now, signed and checked, of an order whose entries are written; nothing is kept of it.
 *
 * @returns the file, and which entries nobody has answered for good
 */
export function certificateAsOf(
  context: RevocationContext,
  order: Verified<'PurgeOrder'>,
  nowMs: UnixMs,
): Result<
  { readonly dsseJson: string; readonly missing: CertifiedPurge['missing'] },
  ConcordatError
> {
  const { codec, store, statements } = context;
  const seal = readSealAnswer(codec, statements, order, store.orders.sealOf(order.value.orderId));
  if (!seal.ok) return seal;
  const certificate = build(context, order, seal.value, nowMs);
  if (!certificate.ok) return certificate;
  const dsseJson = sign(context, certificate.value);
  const checked = selfCheck(context, dsseJson);
  return checked.ok ? ok({ dsseJson, missing: checked.value.missing }) : checked;
}

function build(
  context: RevocationContext,
  order: Verified<'PurgeOrder'>,
  { seal, evidence }: ReadSeal,
  nowMs: UnixMs,
): Result<Certificate, ConcordatError> {
  const { codec, store, signer, keys, self } = context;
  const sealNumber = lastSealNumber(seal.value);
  return buildCertificate(codec, {
    federation: keys.federation,
    origin: self,
    keyId: signer.keyId,
    timeMs: nowMs,
    order: order.bytes,
    approvals: approvalsIn(context, seal.value),
    sealRecord: seal,
    evidence,
    statements: context.statements,
    trees: context.trees,
    ledgerOf: (block) => store.ledger.recordsOf(block, sealNumber),
    holders: holdersOf(context, order.value.orderId),
  });
}

/** Those that the node counted, in its order; what came too late is not among them. */
function approvalsIn(
  { codec, store }: RevocationContext,
  { orderId, approvals: counted }: SealRecord,
): Uint8Array[] {
  if (counted.length === 0) return [];
  const kept = store.orders.approvalsOf(orderId).flatMap((bytes) => {
    const signed = codec.decode('Signed', bytes);
    return signed.ok ? [{ bytes, hash: statementHash(signed.value) }] : [];
  });
  return counted.flatMap((hash) => {
    const one = kept.find((approval) => equalBytes(approval.hash, hash));
    return one ? [one.bytes] : [];
  });
}

function holdersOf({ store }: RevocationContext, orderId: OrderId): CertifiedHolder[] {
  const entries = store.entries.of(orderId);
  const recipients = [...new Set(entries.map(({ recipient }) => recipient))];
  return recipients.map((recipient) => {
    const own = entries.filter((entry) => entry.recipient === recipient);
    const receipts = own.flatMap(({ number }) =>
      store.receipts.all(recipient, number).map(({ bytes }) => bytes),
    );
    const notices = own.flatMap(({ number, notice }) => {
      // a holder that has answered since is not called silent
      return notice && !store.receipts.final(recipient, number) ? [notice] : [];
    });
    const children = store.children.certificates(orderId, recipient);
    return { recipient, entries: own.map(({ bytes }) => bytes), receipts, notices, children };
  });
}

function sign({ codec, signer }: RevocationContext, certificate: Certificate): string {
  const { bytes } = signStatement(codec, signer, 'Certificate', certificate);
  const signed = codec.decode('Signed', bytes);
  if (!signed.ok) throw signed.error;
  return toDsseJson(signed.value);
}

/** Nobody gets a certificate of ours that a verifier would refuse. */
function selfCheck(
  { codec, keys, statements }: RevocationContext,
  dsseJson: string,
): Result<CertifiedPurge, ConcordatError> {
  const signed = verifyDsse(codec, keys, 'Certificate', dsseJson);
  return signed.ok ? verifyCertificate(codec, keys, signed.value.value, statements) : signed;
}
