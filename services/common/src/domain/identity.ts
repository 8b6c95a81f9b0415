import {
  type Brand,
  type MemberId,
  SERVICE_NAMES,
  type ServiceName,
  parseMemberId,
} from './ids.js';
import { type Result, err, ok } from './result.js';

/** A federation's name: 1 to 40 lower-case letters, digits and inner hyphens. */
export type FederationName = Brand<string, 'FederationName'>;

export function parseFederationName(
  text: string,
): Result<FederationName, 'FEDERATION_NAME_MALFORMED'> {
  return /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(text)
    ? ok(text as FederationName)
    : err('FEDERATION_NAME_MALFORMED');
}

/** Who speaks on a connection: what the certificate says, never what a field says. */
export interface Identity {
  readonly federation: FederationName;
  readonly member: MemberId;
  readonly service: ServiceName;
}

export function isServiceName(text: string): text is ServiceName {
  return SERVICE_NAMES.some((name) => name === text);
}

/** `concordat://<federation>/<member>/<service>`: the one URI a certificate carries. */
export function identityUri({ federation, member, service }: Identity): string {
  return `concordat://${federation}/${member}/${service}`;
}

/** The inverse of `identityUri`, and nothing else: no port, no query, no case folding. */
export function parseIdentityUri(uri: string): Result<Identity, 'IDENTITY_MALFORMED'> {
  const [scheme, empty, name = '', id = '', service = '', ...rest] = uri.split('/');
  const federation = parseFederationName(name);
  const member = parseMemberId(id);
  const shaped = scheme === 'concordat:' && empty === '' && rest.length === 0;
  if (!shaped || !federation.ok || !member.ok || !isServiceName(service)) {
    return err('IDENTITY_MALFORMED');
  }
  return ok({ federation: federation.value, member: member.value, service });
}

/**
 * The identity in a certificate's alternative names.
 *
 * @param subjectAltName as Node prints it, `URI:…, DNS:…, IP Address:…`. Node puts a name with a comma, a quote or a
 *                       control character in quotes (CVE-2021-44532); a list with quotes is refused whole.
 * @returns an error unless there is exactly one URI and it is an identity
 */
export function identityOfNames(subjectAltName: string): Result<Identity, 'IDENTITY_MALFORMED'> {
  if (subjectAltName.includes('"')) return err('IDENTITY_MALFORMED');
  const uris = subjectAltName.split(', ').filter((name) => name.startsWith('URI:'));
  const [uri] = uris;
  if (uri === undefined || uris.length !== 1) return err('IDENTITY_MALFORMED');
  return parseIdentityUri(uri.slice('URI:'.length));
}
