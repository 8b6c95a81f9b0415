import type { Command } from 'commander';
import { timeText } from '../domain/time-text.js';
import { factLines } from '../io/print.js';
import { verifyCertificateFile, verifyNoticeFile } from '../io/verify-file.js';
import { surroundings } from './options.js';
import type { World } from './world.js';

interface VerifyOptions {
  readonly trust?: string;
}

export function addVerifyCommands(program: Command, world: World): void {
  const verify = program
    .command('verify')
    .description('check proofs offline, with public keys only');
  proofCommand(verify, 'certificate', 'a certificate')
    .description('exit code 0 when the certificate holds, 5 when it does not')
    .action(async (file: string, { trust }: VerifyOptions, command: Command) => {
      const { print } = surroundings(world, command);
      const { stdin } = world;
      const { report, trustFile } = await verifyCertificateFile({ file, trust, stdin });
      print.progress(`valid: signatures, ledger chains, holders and receipts, by ${trustFile}`);
      print.answer(report, () => factLines({ ...report, holders: report.holders.map(holderText) }));
    });
  proofCommand(verify, 'notice', 'a default notice')
    .description('exit code 0 when the default notice holds, 5 when it does not')
    .action(async (file: string, { trust }: VerifyOptions, command: Command) => {
      const { print } = surroundings(world, command);
      const { notice, trustFile } = await verifyNoticeFile({ file, trust, stdin: world.stdin });
      const { origin, recipient, orderId, entryNumber, entryTimeMs, deadlineMs, timeMs } = notice;
      print.progress(`valid: ${origin} has signed that ${recipient} was silent, by ${trustFile}`);
      print.facts({
        ...{ origin, silent: recipient, order: orderId, entry: entryNumber },
        ...{ askedAt: timeText(entryTimeMs), deadline: timeText(deadlineMs) },
        silentAt: timeText(timeMs),
      });
    });
}

function proofCommand(verify: Command, kind: string, what: string): Command {
  return verify
    .command(kind)
    .argument('<file>', `${what} as DSSE JSON; - for the standard input`)
    .option('--trust <file>', 'public keys (default: trust.json beside the file, or one above)');
}

function holderText(holder: {
  readonly member: string;
  readonly events: number;
  readonly receipt: string;
  readonly answeredAt: string;
}): string {
  return `${holder.member} ${holder.receipt} ${holder.answeredAt} (events: ${holder.events})`;
}
