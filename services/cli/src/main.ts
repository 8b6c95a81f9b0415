import { asConcordatError } from '@concordat/common/domain/errors.js';
import { keepMemoryOutOfCores } from '@concordat/common/io/crash-output.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { printError, runCommand } from './commands/program.js';
import { type Settings, readSettings } from './config.js';
import { EXIT } from './domain/exit-code.js';

const out = (text: string): void => {
  process.stdout.write(text);
};
const err = (text: string): void => {
  process.stderr.write(text);
};

function settingsOrExit(): Settings {
  try {
    return readSettings(process.env);
  } catch (cause) {
    printError({ err }, asConcordatError(cause), false);
    process.exit(EXIT.usage);
  }
}

keepMemoryOutOfCores(); // what is published and opened goes through here, and so do signing keys

/** A reader that wants no more, as `head`, ends us quietly. */
process.stdout.on('error', () => process.exit(EXIT.done));

process.exitCode = await runCommand(process.argv.slice(2), {
  settings: settingsOrExit(),
  out,
  err,
  stdin: process.stdin,
  isTerminal: process.stdout.isTTY && process.stderr.isTTY,
  clock: systemClock,
  random: systemRandom,
  interruption: () => {
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
    return stop.signal;
  },
});
