import { relative } from 'node:path';
import type { DemoReport } from './report.js';
import { ORDER_DEADLINE_MS, RETAIN_DAYS } from './scenario.js';

/** The end of the story for people: the figures, and what to try next. */
export function summary(report: DemoReport, reportFile: string, cwd: string): string {
  const file = relative(cwd, reportFile);
  const dir = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '.';
  const { published, purged, certificates, members, withheld, attacks, replay } = report;
  const rows = Object.entries(members).map(([member, { released, readable }]) =>
    [
      member.padEnd(8),
      String(released).padStart(9),
      String(readable).padStart(9),
      String(withheld[member] ?? 0).padStart(9),
    ].join(' '),
  );
  const ok = isProven(report);
  return [
    '',
    `${String(published)} events published, ${String(purged)} taken back (${report.delisted.join(', ')} were delisted,`,
    'the others replaced by a newer version).',
    '',
    'member    released  readable  withheld',
    ...rows,
    '',
    `certificates   ${String(certificates.issued)} issued, ${String(certificates.verified)} verified offline`,
    `attacks        forged purge ${attacks.forgedPurge}, replayed block ${attacks.replay}, reading of a purged event ${attacks.readPurged}`,
    `rewind to zero ${String(replay.ledgerRecordsAdded)} ledger records and ${String(replay.receiptsAdded)} receipts added`,
    `resurrected    ${String(report.resurrected)}`,
    ...scenesOf(report),
    `publish to readable  ${millis(report.latencyMs)}`,
    `order to receipts    ${millis(report.purgeMs)}`,
    `kept at recipients for ${String(RETAIN_DAYS)} days at most; holders must answer a purge within ${String(ORDER_DEADLINE_MS / 3_600_000)} h`,
    '',
    ok
      ? 'Everything that was taken back is gone at everybody who had it.'
      : 'SOMETHING IS WRONG: see the figures above.',
    '',
    'What next',
    `  the report        ${file}`,
    `  a certificate     npx --no-install concordat verify certificate ${dir}/certificates/ID.json`,
    '  remove it all     make clean',
    '',
  ].join('\n');
}

function scenesOf({ scenes }: DemoReport): string[] {
  const told = Object.entries(scenes).map(
    ([name, { shown }]) => `${name} ${shown ? 'shown' : 'NOT SHOWN'}`,
  );
  return told.length === 0 ? [] : [`scenes         ${told.join(', ')}`];
}

function millis({ p50, p95, p99 }: DemoReport['latencyMs']): string {
  return `p50 ${String(p50)} ms, p95 ${String(p95)} ms, p99 ${String(p99)} ms`;
}

/** Did the run show what it set out to show? If not, the command fails. */
export function isProven(report: DemoReport): boolean {
  const { certificates, attacks, keysRefused, replay, purged, resurrected } = report;
  return (
    certificates.issued === purged &&
    certificates.verified === purged &&
    attacks.forgedPurge === 'refused' &&
    attacks.replay === 'ignored' &&
    attacks.readPurged === 'refused' &&
    Object.values(keysRefused).every((reasons) => Object.keys(reasons).length === 0) &&
    replay.ledgerRecordsAdded === 0 &&
    replay.receiptsAdded === 0 &&
    replay.stateChanged.length === 0 &&
    resurrected === 0 &&
    Object.values(report.scenes).every(({ shown }) => shown)
  );
}
