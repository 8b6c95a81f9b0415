import { expect, test } from '@jest/globals';
import { parseXml } from './un-list-xml.js';

test('keeps names, order and texts, and never makes a number of a text', () => {
  const xml =
    '\uFEFF<?xml version="1.0" encoding="utf-8"?><!-- c --><a k="1 &lt; 2"><?pi x?>\n' +
    '<n>007</n><b/><n>1e3</n><c>x &amp;amp; &#65;&#x1F600;<![CDATA[ &amp; <q> ]]>y<!-- z -->w</c></a>\n';
  expect(parseXml(xml)).toEqual({
    ok: true,
    value: {
      root: {
        name: 'a',
        text: '\n',
        children: [
          { name: 'n', text: '007', children: [] },
          { name: 'b', text: '', children: [] },
          { name: 'n', text: '1e3', children: [] },
          { name: 'c', text: 'x &amp; A\u{1F600} &amp; <q> yw', children: [] },
        ],
      },
      rootAttributes: new Map([['k', '1 < 2']]),
    },
  });
});

test.each([
  ['a DTD', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'a DTD'],
  ['an unknown entity', '<a>secret &nbsp;</a>', 'an unknown entity'],
  ['an entity of a control character', '<a>&#0;</a>', 'an unknown entity'],
  ['half a surrogate pair', '<a>&#xD800;</a>', 'an unknown entity'],
  ['a character beyond Unicode', '<a>&#x110000;</a>', 'an unknown entity'],
  ['a control character', '<a>\u0001</a>', 'a control character'],
  ['a file cut short', '<a><b>secret</b>', 'InvalidTag at line 1, column 1'],
  ['tags that cross', '<a><b></a></b>', 'InvalidTag at line 1'],
  ['two roots', '<a/><b/>', '2 root elements'],
  ['nothing', '', 'InvalidXml at line 1'],
  ['another encoding', '<?xml version="1.0" encoding="UTF-16"?><a/>', 'an encoding other than'],
  ['depth', `${'<a>'.repeat(20)}${'</a>'.repeat(20)}`, 'deeper than 16 elements'],
  [
    'the name of a prototype',
    '<__proto__>x</__proto__>',
    'deeper than 16 elements, or names that XML does not have',
  ],
])('refuses %s without repeating it', (_name, xml, problem) => {
  const result = parseXml(xml);
  expect(result).toMatchObject({ ok: false, error: { code: 'REQUEST_INVALID' } });
  expect(!result.ok && result.error.message).toContain(`got: ${problem}`);
  expect(!result.ok && result.error.message).not.toContain('secret');
});
