import type { Receipt } from '@concordat/common/domain/records.js';
import type { Command } from 'commander';
import { EXIT } from '../domain/exit-code.js';
import { timeText } from '../domain/time-text.js';
import { factLines } from '../io/print.js';
import {
  verifyCertificateFile,
  verifyLedgerFileOf,
  verifyNoticeFile,
  verifyReceiptFile,
} from '../io/verify-file.js';
import { surroundings, wholeNumber } from './options.js';
import type { World } from './world.js';

const TRUST = 'public keys (default: trust.json beside the file, or one above)';

interface VerifyOptions {
  readonly trust?: string;
}
interface CertificateOptions extends VerifyOptions {
  readonly keyRecord?: string;
}
interface ReceiptOptions extends VerifyOptions {
  readonly entry?: string;
}
interface LedgerOptions extends VerifyOptions {
  readonly until: number;
}

export function addVerifyCommands(program: Command, world: World): void {
  const verify = program
    .command('verify')
    .description('check proofs offline, with public keys only');
  proofCommand(verify, 'certificate', 'a certificate')
    .description(
      'exit code 0 when the certificate holds and is complete, 8 when it holds and somebody has not answered for good, ' +
        '5 when it does not hold',
    )
    .option(
      '--key-record <file>',
      'a ledger record that came with keys, in base64: refuses a certificate that leaves its recipient out',
    )
    .action(async (file: string, { trust, keyRecord }: CertificateOptions, command: Command) => {
      const { print } = surroundings(world, command);
      const { stdin } = world;
      const proof = { file, trust, stdin, keyRecord };
      const { report, trustFile } = await verifyCertificateFile(proof);
      const { outcome, holders, missing } = report;
      print.progress(
        `valid, ${outcome}: signatures, ledger chains, holders and receipts, by ${trustFile}`,
      );
      print.answer(report, () =>
        factLines({
          ...report,
          holders: holders.map(holderText),
          missing: missing.map(
            ({ recipient, entry, why }) => `${recipient} ${why} (entry ${entry})`,
          ),
        }),
      );
      if (outcome === 'incomplete') world.finish(EXIT.incomplete);
    });
  proofCommand(verify, 'receipt', 'a receipt')
    .description(
      'exit code 0 when the receipt holds and is final, 8 when it holds and is open, 5 when it does not hold',
    )
    .option('--entry <file>', 'the purge entry that it should answer, as DSSE JSON')
    .action(async (file: string, { trust, entry }: ReceiptOptions, command: Command) => {
      const { print } = surroundings(world, command);
      const { stdin } = world;
      const { receipt, trustFile } = await verifyReceiptFile({ file, trust, stdin, entry });
      print.progress(`valid: ${receipt.holder} has signed this, by ${trustFile}`);
      print.facts(receiptFacts(receipt));
      if (receipt.stage === 'OPEN') world.finish(EXIT.incomplete);
    });
  verify
    .command('ledger')
    .argument('<file>', "a ledger's records, one a line in base64; - for the standard input")
    .option('--trust <file>', TRUST)
    .requiredOption(
      '--until <number>',
      'the last number, as another proof names it',
      wholeNumber(1, 999_999_999),
    )
    .description(
      'exit code 0 when the ledger holds and is whole, 8 when it holds and records are missing, 5 when it does not hold',
    )
    .action(async (file: string, { trust, until }: LedgerOptions, command: Command) => {
      const { print } = surroundings(world, command);
      const { stdin } = world;
      const { ledger, trustFile } = await verifyLedgerFileOf({ file, trust, stdin, until });
      const { missing, last } = ledger;
      print.progress(`valid to number ${last}, by ${trustFile}`);
      print.answer(ledger, () =>
        factLines({ ...ledger, missing: missing.map(({ from, to }) => `${from} to ${to}`) }),
      );
      if (missing.length > 0) world.finish(EXIT.incomplete);
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
    .option('--trust <file>', TRUST);
}

function receiptFacts({ outcomes, holds, children, ...receipt }: Receipt): object {
  return {
    ...{ holder: receipt.holder, origin: receipt.origin, order: receipt.orderId },
    ...{ entry: receipt.entryNumber, stage: receipt.stage, answeredAt: timeText(receipt.timeMs) },
    events: outcomes.map(({ id, outcome }) => `${id} ${outcome}`),
    holds: holds.map(
      ({ id, ground, authority, reviewAtMs }) =>
        `${id} ${authority}: ${ground}, review ${timeText(reviewAtMs)}`,
    ),
    children: children.map(({ parent, origin, id }) => `${origin}/${id} of ${parent}`),
  };
}

function holderText(holder: {
  readonly member: string;
  readonly events: number;
  readonly receipt: string;
  readonly answeredAt: string;
}): string {
  return `${holder.member} ${holder.receipt} ${holder.answeredAt} (events: ${holder.events})`;
}
