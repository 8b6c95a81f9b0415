import { concatBytes, sha256, utf8 } from './bytes.js';
import { ConcordatError } from './errors.js';
import type { Hash, MemberId } from './ids.js';
import type { RecordCodec, RecordTypes, Signed } from './records.js';
import { type Result, err, ok } from './result.js';
import type { Sign, Verify } from './signature.js';

/** Ed25519 over DSSE PAE, SHA-256 trees and commitments, AES-256-GCM sections. */
export const SUITE = 'concordat-1';

export const ROLES = ['node', 'consent', 'revocation', 'purge-officer'] as const;
export type Role = (typeof ROLES)[number];

/** The statements that are signed, and the roles that may sign each. Any other role is refused. */
const SIGNERS = {
  BlockStatement: ['node'],
  FeedStatement: ['consent'],
  LedgerStatement: ['node'],
  SealRecord: ['node'],
  Receipt: ['node'],
  PurgeOrder: ['purge-officer', 'revocation'],
  PurgeEntry: ['revocation'],
  FreshnessAnswer: ['revocation'],
  DefaultNotice: ['revocation'],
  Certificate: ['revocation'],
  PurgeApproval: ['purge-officer'],
  MediaErased: ['node'],
  DerivationGrant: ['node'],
  MembershipChange: ['node'],
  Void: ['node', 'consent', 'revocation'],
} as const satisfies Partial<Record<keyof RecordTypes, readonly Role[]>>;
export type StatementName = keyof typeof SIGNERS;

/** A holder speaks for itself here, to the origin that the statement names; everywhere else the origin speaks. */
const BY_HOLDER: ReadonlySet<StatementName> = new Set(['Receipt', 'MediaErased']);

/** One payload type per kind, so that a signature for one kind never passes as another. */
export function payloadType(name: StatementName): string {
  const kebab = name.replaceAll(/(?!^)([A-Z])/g, '-$1').toLowerCase();
  return `application/vnd.concordat.${kebab}.v1+avro`;
}

/** DSSE v1 pre-authentication encoding: "DSSEv1" SP len(type) SP type SP len(body) SP body. */
export function pae(type: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${String(utf8(type).length)} ${type} ${String(payload.length)} `;
  return concatBytes(utf8(head), payload);
}

/** SHA-256 of a statement's PAE bytes: what the next statement and every reference name. */
export function statementHash(signed: Pick<Signed, 'payloadType' | 'payload'>): Hash {
  return sha256(pae(signed.payloadType, signed.payload));
}

/** A member's key as a verifier knows it. */
export interface KnownKey {
  readonly member: MemberId;
  readonly role: Role;
  readonly keyId: string;
  readonly verify: Verify;
  /** a pseudonymous id of who signs with it; people are counted, not keys */
  readonly person?: string;
}

export interface KeyDirectory {
  readonly federation: string;
  find(keyId: string): KnownKey | undefined;
}

export interface Signer {
  readonly keyId: string;
  readonly sign: Sign;
}

/** A statement whose signature, role and signer were checked; made by `verifyStatement` and `signStatement` only. */
export interface Verified<Name extends StatementName> {
  readonly value: RecordTypes[Name];
  /** the single-object encoding of `Signed`, as it travelled */
  readonly bytes: Uint8Array;
  readonly hash: Hash;
  readonly key: Pick<KnownKey, 'member' | 'role' | 'keyId' | 'person'>;
}

export function signStatement<Name extends StatementName>(
  codec: RecordCodec,
  signer: Signer,
  name: Name,
  value: RecordTypes[Name],
): { readonly bytes: Uint8Array; readonly hash: Hash } {
  if (value.keyId !== signer.keyId) throw new TypeError(`${name} names another key than signs it`);
  const type = payloadType(name);
  const payload = codec.encode(name, value);
  const signature = signer.sign(pae(type, payload));
  const signed: Signed = { payloadType: type, payload, keyId: signer.keyId, signature };
  return { bytes: codec.encode('Signed', signed), hash: statementHash(signed) };
}

/** `verifyStatement` with the keys that somebody knows. */
export type CheckStatement = <Name extends StatementName>(
  name: Name,
  bytes: Uint8Array,
  expected: { readonly signer: MemberId },
) => Result<Verified<Name>, ConcordatError>;

/**
 * Did a key of the right role and member sign exactly these bytes?
 *
 * The signer must be `expected.signer`; a receipt is signed by its holder, all else by its origin.
 *
 * @returns RECORD_MALFORMED, SCHEMA_UNKNOWN, KEY_UNKNOWN, KEY_ROLE_WRONG, SENDER_NOT_TOPIC_OWNER, SIGNATURE_INVALID
 */
export function verifyStatement<Name extends StatementName>(
  codec: RecordCodec,
  keys: KeyDirectory,
  name: Name,
  bytes: Uint8Array,
  expected: { readonly signer: MemberId },
): Result<Verified<Name>, ConcordatError> {
  const decoded = codec.decode('Signed', bytes);
  if (!decoded.ok) return decoded;
  const signed = decoded.value;
  const type = payloadType(name);
  if (signed.payloadType !== type) {
    return refuse('RECORD_MALFORMED', `expected payload type ${type}, got another`);
  }
  const key = keys.find(signed.keyId);
  if (!key) return refuse('KEY_UNKNOWN', `${name}: key ${quote(signed.keyId)} is in no trust file`);
  if (key.member !== expected.signer) {
    return refuse(
      'SENDER_NOT_TOPIC_OWNER',
      `${name}: expected a key of ${expected.signer}, got one of ${key.member}`,
    );
  }
  if (!(SIGNERS[name] as readonly Role[]).includes(key.role)) {
    return refuse(
      'KEY_ROLE_WRONG',
      `${name}: expected role ${SIGNERS[name].join(' or ')}, got ${key.role}`,
    );
  }
  if (!key.verify(pae(type, signed.payload), signed.signature)) {
    return refuse('SIGNATURE_INVALID', `${name}: the signature does not fit key ${key.keyId}`);
  }
  const value = codec.decode(name, signed.payload);
  if (!value.ok) return value;
  const statement = value.value;
  if (statement.suite !== SUITE || statement.federation !== keys.federation) {
    return refuse('RECORD_MALFORMED', `${name}: expected suite ${SUITE} of this federation`);
  }
  if (statement.keyId !== signed.keyId) {
    return refuse('SIGNATURE_INVALID', `${name}: signed by another key than it names`);
  }
  const said = BY_HOLDER.has(name) && 'holder' in statement ? statement.holder : statement.origin;
  if (said !== expected.signer) {
    return refuse('SENDER_NOT_TOPIC_OWNER', `${name}: speaks for another member than signed it`);
  }
  return ok({ value: statement, bytes, hash: statementHash(signed), key });
}

/** Which of these kinds of statement the bytes say they are; undefined: none, and nothing of it is checked. */
export function kindOfStatement<Name extends StatementName>(
  codec: RecordCodec,
  names: readonly Name[],
  bytes: Uint8Array,
): Name | undefined {
  const signed = codec.decode('Signed', bytes);
  if (!signed.ok) return undefined;
  return names.find((name) => payloadType(name) === signed.value.payloadType);
}

/** `verifyStatement` with these keys, nothing remembered. */
export function checkStatements(codec: RecordCodec, keys: KeyDirectory): CheckStatement {
  return (name, bytes, expected) => verifyStatement(codec, keys, name, bytes, expected);
}

function refuse(code: ConcordatError['code'], message: string): Result<never, ConcordatError> {
  return err(new ConcordatError(code, message));
}

/** Foreign text in a message: short, and without control characters. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 32));
}
