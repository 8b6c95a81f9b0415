import type { Command } from 'commander';
import { factLines } from '../io/print.js';
import { verifyCertificateFile } from '../io/verify-certificate.js';
import { surroundings } from './options.js';
import type { World } from './world.js';

interface VerifyOptions {
  readonly trust?: string;
}

export function addVerifyCommands(program: Command, world: World): void {
  program
    .command('verify')
    .description('check proofs offline, with public keys only')
    .command('certificate')
    .description('exit code 0 when the certificate holds, 5 when it does not')
    .argument('<file>', 'a certificate as DSSE JSON; - for the standard input')
    .option('--trust <file>', 'public keys (default: trust.json beside the file, or one above)')
    .action(async (file: string, options: VerifyOptions, command: Command) => {
      const { print } = surroundings(world, command);
      const { report, trustFile } = await verifyCertificateFile(file, options.trust, world.stdin);
      print.progress(`valid: signatures, ledger chains, holders and receipts, by ${trustFile}`);
      print.answer(report, () => factLines({ ...report, holders: report.holders.map(holderText) }));
    });
}

function holderText(holder: {
  readonly member: string;
  readonly events: number;
  readonly receipt: string;
  readonly answeredAt: string;
}): string {
  return `${holder.member} ${holder.receipt} ${holder.answeredAt} (events: ${holder.events})`;
}
