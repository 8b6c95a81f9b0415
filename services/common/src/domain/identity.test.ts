import { describe, expect, test } from '@jest/globals';
import { identityOfNames, identityUri, parseIdentityUri } from './identity.js';

const URI = 'concordat://eu-ct/de/node';

test('an identity is read back from its URI', () => {
  const identity = parseIdentityUri(URI);
  expect(identity.ok && identityUri(identity.value)).toBe(URI);
});

describe('parseIdentityUri', () => {
  test.each([
    'concordat://eu-ct/de/node/',
    'concordat://eu-ct/de',
    'concordat://eu-ct/de/root',
    'concordat://eu-ct/DE/node',
    'concordat://eu-ct//node',
    'concordat:///de/node',
    'concordat://user@eu-ct/de/node',
    'concordat://eu-ct:1/de/node',
    'concordat://eu-ct/de/node?x=1',
    'concordat://eu-ct/de/node ',
    'CONCORDAT://eu-ct/de/node',
    'https://eu-ct/de/node',
    'concordat:/x/eu-ct/de/node',
    '',
  ])('refuses %j', (uri) => {
    expect(parseIdentityUri(uri)).toEqual({ ok: false, error: 'IDENTITY_MALFORMED' });
  });
});

describe('identityOfNames', () => {
  test('reads the one URI among other names', () => {
    expect(identityOfNames(`DNS:localhost, URI:${URI}, IP Address:127.0.0.1`)).toMatchObject({
      ok: true,
      value: { federation: 'eu-ct', member: 'de', service: 'node' },
    });
  });

  test.each([
    ['no names', ''],
    ['no URI', 'DNS:localhost'],
    ['two identities', `URI:${URI}, URI:concordat://eu-ct/fr/node`],
    ['the same one twice', `URI:${URI}, URI:${URI}`],
    ['another URI beside it', `URI:${URI}, URI:https://example.org/`],
    ['a name that Node put in quotes', `DNS:"x, URI:${URI}"`],
    ['a quoted name beside it', `URI:${URI}, DNS:"a\\u002cb"`],
  ])('refuses %s', (_name, names) => {
    expect(identityOfNames(names)).toMatchObject({ ok: false });
  });
});
