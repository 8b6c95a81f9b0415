import { createPrivateKey } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { ConcordatError, type ConcordatErrorCode } from '../domain/errors.js';
import { type Federation, type Trust, parseFederation, parseTrust } from '../domain/federation.js';
import { keyIdOf, rawPublicKey } from '../domain/keys.js';
import { ed25519Sign } from '../domain/signature.js';
import type { Result } from '../domain/result.js';
import type { Signer } from '../domain/statement.js';
import type { TlsFiles } from './rpc/tls.js';

const FILE_BYTES_MAX = 1 << 20;

async function readText(path: string, code: ConcordatErrorCode): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= FILE_BYTES_MAX) return await readFile(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no reason given';
    throw new ConcordatError(code, `${path}: expected a readable file, came ${why}`, { cause });
  }
  throw new ConcordatError(code, `${path}: expected at most ${FILE_BYTES_MAX} bytes`);
}

async function readJson<T>(
  path: string,
  code: 'FEDERATION_INVALID' | 'TRUST_INVALID',
  parse: (value: unknown) => Result<T, ConcordatError>,
): Promise<T> {
  const text = await readText(path, code);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ConcordatError(code, `${path}: expected JSON, came a text that is none`);
  }
  const parsed = parse(value);
  if (parsed.ok) return parsed.value;
  throw new ConcordatError(code, `${path}: ${parsed.error.message}`);
}

/** @throws ConcordatError FEDERATION_INVALID naming the file and the place in it */
export async function readFederationFile(path: string): Promise<Federation> {
  return readJson(path, 'FEDERATION_INVALID', parseFederation);
}

/** @throws ConcordatError TRUST_INVALID naming the file and the place in it */
export async function readTrustFile(path: string): Promise<Trust> {
  return readJson(path, 'TRUST_INVALID', parseTrust);
}

/** An Ed25519 private key in PKCS #8 PEM. @throws ConcordatError CONFIG_INVALID, without any of the file's content */
export async function readSigningKey(path: string): Promise<Signer> {
  const pem = await readText(path, 'CONFIG_INVALID');
  try {
    const privateKey = createPrivateKey(pem);
    return { keyId: keyIdOf(rawPublicKey(privateKey)), sign: ed25519Sign(privateKey) };
  } catch {
    throw new ConcordatError(
      'CONFIG_INVALID',
      `${path}: expected an Ed25519 private key in PKCS #8 PEM, came something else`,
    );
  }
}

/** @param ca the CA of the federation file. @throws ConcordatError CONFIG_INVALID when a file cannot be read */
export async function readTlsFiles(files: {
  readonly certFile: string;
  readonly keyFile: string;
  readonly ca: string;
}): Promise<TlsFiles> {
  const [cert, key] = await Promise.all([
    readText(files.certFile, 'CONFIG_INVALID'),
    readText(files.keyFile, 'CONFIG_INVALID'),
  ]);
  return { cert, key, ca: files.ca };
}
