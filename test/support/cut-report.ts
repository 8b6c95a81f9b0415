import { fileURLToPath } from 'node:url';

export const CUT_LISTS = fileURLToPath(new URL('../data/un-sanctions-cut', import.meta.url));

/** What every run over the cut must report. What is left out differs from run to run: keys, times, ports, restarts. */
export const CUT_REPORT = {
  published: 69,
  purged: 13,
  delisted: ['QDi.021', 'QDi.027', 'QDi.275', 'QDi.286'],
  certificates: { issued: 13, verified: 13 },
  members: {
    de: { released: 69, readable: 56 },
    fr: { released: 36, readable: 28 },
    nl: { released: 18, readable: 18 },
  },
  withheld: { de: 0, fr: 33, nl: 51 },
  withheldReasons: { de: {}, fr: { NO_RULE: 33 }, nl: { NO_RULE: 51 } },
  keysRefused: { de: {}, fr: {}, nl: {} },
  attacks: { forgedPurge: 'refused', replay: 'ignored', readPurged: 'refused' },
  attackDetails: {
    forgedPurge: {
      code: 'SENDER_NOT_TOPIC_OWNER',
      forgeries: {
        stranger: 'SENDER_NOT_TOPIC_OWNER',
        wrongRole: 'KEY_ROLE_WRONG',
        wrongSignature: 'SIGNATURE_INVALID',
        unknownKey: 'KEY_UNKNOWN',
      },
    },
    replay: { code: 'feed.duplicate' },
    readPurged: { code: 'PURGED' },
  },
  resurrected: 0,
  // 13 purged events were released to de, 8 of them to fr, none to nl
  replay: { ledgerRecordsAdded: 0, receiptsAdded: 0, purgedSkipped: 21, stateChanged: [] },
};
