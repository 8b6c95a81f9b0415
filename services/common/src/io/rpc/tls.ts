import { X509Certificate } from 'node:crypto';
import { type PeerCertificate, type SecureContextOptions, createSecureContext } from 'node:tls';
import {
  ChannelCredentials,
  ServerCredentials,
  logVerbosity,
  setLogVerbosity,
} from '@grpc/grpc-js';
import { ConcordatError } from '../../domain/errors.js';
import { type Identity, identityOfNames, identityUri } from '../../domain/identity.js';

// grpc-js writes lines of its own to the console; all that fails reaches a caller or `onCall` as an error.
setLogVerbosity(logVerbosity.NONE);

/** PEM texts: our certificate, its private key, and the federation's CA, the only one that is believed. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Node's own default is 1.2. */
const TLS_VERSION_MIN = 'TLSv1.3';
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Names and values of all headers. */
export const METADATA_BYTES_MAX = 8_192;
const CONCURRENT_STREAMS_MAX = 256;

/** grpc-js has no setting for the TLS version, hence a credentials class of our own. */
class MutualTls13 extends ServerCredentials {
  constructor(context: SecureContextOptions) {
    super(
      {
        ...context,
        requestCert: true,
        rejectUnauthorized: true,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        settings: {
          maxConcurrentStreams: CONCURRENT_STREAMS_MAX,
          maxHeaderListSize: METADATA_BYTES_MAX,
        },
      },
      context,
    );
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf({ cert, key, ca }: TlsFiles): SecureContextOptions {
  return { cert, key, ca, minVersion: TLS_VERSION_MIN };
}

/** Whom a certificate of ours names. @throws ConcordatError CONFIG_INVALID when it names nobody */
export function ownIdentity({ cert }: TlsFiles): Identity {
  const names = new X509Certificate(cert).subjectAltName ?? '';
  const identity = identityOfNames(names);
  if (identity.ok) return identity.value;
  throw new ConcordatError(
    'CONFIG_INVALID',
    `expected a certificate with one URI name concordat://<federation>/<member>/<service>, came «${names}»`,
  );
}

/** Callers without a certificate of the CA are refused in the handshake. */
export function serverCredentials(tls: TlsFiles): ServerCredentials {
  return new MutualTls13(contextOf(tls));
}

/** Names that a peer's certificate carries, as Node prints them; @types/node says it is always there. */
function namesOf(certificate: Partial<PeerCertificate>): string {
  return certificate.subjectaltname ?? '';
}

export function identityOfPeer(certificate: PeerCertificate | undefined): Identity | undefined {
  const identity = identityOfNames(certificate ? namesOf(certificate) : '');
  return identity.ok ? identity.value : undefined;
}

/**
 * Believes one identity at the other end, by its URI name; host names and addresses prove nothing here.
 *
 * @param onPeer told after each handshake whether the peer was the expected one
 */
export function clientCredentials(
  tls: TlsFiles,
  expected: Identity,
  onPeer: (problem: string | undefined) => void,
): ChannelCredentials {
  const context = createSecureContext(contextOf(tls));
  return ChannelCredentials.createFromSecureContext(context, {
    checkServerIdentity: (_host, certificate) => {
      const found = identityOfPeer(certificate);
      const came = found ? identityUri(found) : 'none';
      const wanted = identityUri(expected);
      const problem = came === wanted ? undefined : `expected identity ${wanted}, came ${came}`;
      onPeer(problem);
      return problem === undefined ? undefined : new Error(problem);
    },
  });
}
