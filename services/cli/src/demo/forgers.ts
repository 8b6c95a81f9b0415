import { generateKeyPairSync } from 'node:crypto';
import { keyIdOf, rawPublicKey } from '@concordat/common/domain/keys.js';
import { ed25519Sign } from '@concordat/common/domain/signature.js';
import type { Signer } from '@concordat/common/domain/statement.js';
import { readSigningKey } from '@concordat/common/io/federation-file.js';
import { memberFiles } from '../io/federation-init.js';
import type { Forgers } from './attacks.js';
import type { Places } from './places.js';
import { ORIGIN, RECIPIENTS } from './scenario.js';

/** Everybody who might sign a purge entry and may not. */
export async function readForgers(places: Places): Promise<Forgers> {
  const own = memberFiles(places.dir, ORIGIN);
  const [other] = RECIPIENTS.slice(1);
  return {
    stranger: await readSigningKey(memberFiles(places.dir, other ?? ORIGIN).signingKeyFile('node')),
    wrongRole: await readSigningKey(own.signingKeyFile('consent')),
    unknown: newSigner(),
    rightKeyId: (await readSigningKey(own.signingKeyFile('revocation'))).keyId,
  };
}

function newSigner(): Signer {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { keyId: keyIdOf(rawPublicKey(privateKey)), sign: ed25519Sign(privateKey) };
}
