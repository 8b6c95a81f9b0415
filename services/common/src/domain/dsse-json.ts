import { ConcordatError } from './errors.js';
import type { MemberId } from './ids.js';
import type { RecordCodec, Signed } from './records.js';
import { type Result, err, ok } from './result.js';
import {
  type KeyDirectory,
  type StatementName,
  type Verified,
  payloadType,
  verifyStatement,
} from './statement.js';

/**
 * DSSE v1 JSON around one signed statement, in exactly one spelling: this order of fields, padded standard
 * base64, no other fields. White space between tokens is free; any other changed character is refused.
 */
export function toDsseJson(signed: Signed): string {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return JSON.stringify({
    payloadType: signed.payloadType,
    payload: base64(signed.payload),
    signatures: [{ keyid: signed.keyId, sig: base64(signed.signature) }],
  });
}

const SHAPE =
  /^\{"payloadType":"([a-z0-9./+-]{1,128})","payload":"([A-Za-z0-9+/]*={0,2})","signatures":\[\{"keyid":"([A-Za-z0-9_-]{1,64})","sig":"([A-Za-z0-9+/]*={0,2})"\}\]\}$/;
export const DSSE_BYTES_MAX = 16 * 1024 * 1024;

/** White space outside of strings goes; no string of ours holds any, nor an escape. */
function withoutSpace(text: string): string {
  return text.replaceAll(/("[^"]*")|[ \t\r\n]+/g, (_all, kept: string | undefined) => kept ?? '');
}

export function parseDsseJson(text: string): Result<Signed, ConcordatError> {
  if (text.length > DSSE_BYTES_MAX) return invalid('larger than 16 MiB');
  const match = SHAPE.exec(withoutSpace(text));
  if (!match) return invalid('expected DSSE JSON with payloadType, payload and one signature');
  const [, type = '', payload = '', keyId = '', sig = ''] = match;
  const signed: Signed = {
    payloadType: type,
    payload: Uint8Array.from(Buffer.from(payload, 'base64')),
    keyId,
    signature: Uint8Array.from(Buffer.from(sig, 'base64')),
  };
  if (signed.signature.length !== 64) return invalid('a signature has 64 bytes');
  // base64 has several spellings of one value; only ours may pass
  if (toDsseJson(signed) !== withoutSpace(text)) return invalid('base64 in another spelling');
  return ok(signed);
}

function invalid(message: string): Result<never, ConcordatError> {
  return err(new ConcordatError('CERTIFICATE_INVALID', message));
}

/** Verifies a DSSE JSON text as statement `name`; the signer is the member whose key signed. */
export function verifyDsse<Name extends StatementName>(
  codec: RecordCodec,
  keys: KeyDirectory,
  name: Name,
  text: string,
): Result<Verified<Name> & { readonly signer: MemberId }, ConcordatError> {
  const signed = parseDsseJson(text);
  if (!signed.ok) return signed;
  if (signed.value.payloadType !== payloadType(name)) {
    return invalid(`expected payload type ${payloadType(name)}`);
  }
  const key = keys.find(signed.value.keyId);
  if (!key) return invalid('signed by a key that the trust file does not hold');
  const bytes = codec.encode('Signed', signed.value);
  const verified = verifyStatement(codec, keys, name, bytes, { signer: key.member });
  if (verified.ok) return ok({ ...verified.value, signer: key.member });
  return invalid(`${verified.error.code}: ${verified.error.message}`);
}
