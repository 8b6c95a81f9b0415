import { expect, test } from '@jest/globals';
import { openedLines, openedView } from './opened-event.js';

const section = (name: string, content: unknown) => ({
  name,
  contentJson: Buffer.from(JSON.stringify(content)),
});
const answer = {
  origin: 'un',
  eventId: '0197',
  category: 'listing.example.individual',
  deleteByMs: 1_000,
  handling: { tlp: 'AMBER', europol: 'H1', source: 'X', information: 4 },
  warnings: [],
  sections: [
    section('identity', { firstName: 'A\u001b[2J', secondName: null, titles: [] }),
    section('aliases', { aliases: [{ quality: 'Good', aliasName: null }, { aliasName: 'B' }] }),
    section('remarks', { remarks: [] }),
  ],
};

test('an event is shown section by section, without what says nothing and without control characters', () => {
  expect(openedLines(openedView(answer))).toEqual([
    'event      0197 of un',
    'category   listing.example.individual',
    'handling   TLP:AMBER H1 X4',
    'delete by  1970-01-01T00:00:01.000Z',
    '',
    'identity',
    '  firstName  A\ufffd[2J',
    '',
    'aliases',
    '  aliases  quality: Good',
    '           aliasName: B',
    '',
    'remarks',
    '  (empty)',
  ]);
});

test('for programs a section is what was published', () => {
  expect(openedView(answer).sections['identity']).toEqual({
    firstName: 'A\u001b[2J',
    secondName: null,
    titles: [],
  });
});
