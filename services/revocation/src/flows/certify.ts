import { verifyCertificate } from '@concordat/common/domain/certificate.js';
import { toDsseJson, verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId, UnixMs } from '@concordat/common/domain/ids.js';
import type { Certificate, CertifiedHolder } from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { type Verified, signStatement } from '@concordat/common/domain/statement.js';
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
  const { codec, statements, store, clock } = context;
  const { orderId } = order.value;
  const seal = readSealAnswer(codec, statements, order, store.orders.sealOf(orderId));
  if (!seal.ok) return seal;
  const nowMs = clock.nowMs();
  const certificate = build(context, order, seal.value, nowMs);
  if (!certificate.ok) return certificate;
  const dsseJson = sign(context, certificate.value);
  const problem = selfCheck(context, dsseJson);
  if (problem) return err(problem);
  if (store.orders.advance(orderId, { kind: 'certified' })?.kind !== 'closed') {
    throw new TypeError('expected an order that everybody answered');
  }
  store.orders.keepCertificate(orderId, dsseJson, nowMs);
  return ok('closed');
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
    sealRecord: seal,
    evidence,
    statements: context.statements,
    trees: context.trees,
    ledgerOf: (block) => store.ledger.recordsOf(block, sealNumber),
    holders: holdersOf(context, order.value.orderId),
  });
}

function holdersOf({ store }: RevocationContext, orderId: OrderId): CertifiedHolder[] {
  const entries = store.entries.of(orderId);
  const recipients = [...new Set(entries.map(({ recipient }) => recipient))];
  return recipients.map((recipient) => {
    const own = entries.filter((entry) => entry.recipient === recipient);
    const receipts = own.map(({ number }) => {
      const receipt = store.receipts.find(recipient, number);
      if (!receipt) throw new TypeError('expected a receipt for every entry');
      return receipt.bytes;
    });
    return {
      recipient,
      entries: own.map(({ bytes }) => bytes),
      receipts,
      notices: [],
      children: [],
    };
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
): ConcordatError | undefined {
  const signed = verifyDsse(codec, keys, 'Certificate', dsseJson);
  if (!signed.ok) return signed.error;
  const verified = verifyCertificate(codec, keys, signed.value.value, statements);
  return verified.ok ? undefined : verified.error;
}
