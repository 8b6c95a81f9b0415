import { fileURLToPath } from 'node:url';
import type { DemoReport } from '@concordat/cli/demo/report.js';

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

/** The report without what differs from run to run. */
export function lasting(report: DemoReport): Record<string, unknown> {
  const { latencyMs: _1, purgeMs: _2, kafka: _3, restarts: _4, durationMs: _5, ...rest } = report;
  const attackDetails = Object.fromEntries(
    Object.entries(report.attackDetails).map(([name, detail]) => {
      const { stateBefore: _before, stateAfter: _after, ...said } = detail;
      return [name, said];
    }),
  );
  return { ...rest, attackDetails };
}
