import { type ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import { Command, CommanderError } from 'commander';
import { createColors } from 'picocolors';
import { errorLines } from '../domain/error-lines.js';
import { EXIT, exitCodeOf } from '../domain/exit-code.js';
import { adviceFor } from '../io/error-advice.js';
import { addBrokerCommands } from './broker.js';
import { addConfigCommands } from './config-check.js';
import { addDemoCommands } from './demo.js';
import { addEventCommands } from './event.js';
import { addFeedCommands } from './feed.js';
import { addFederationCommands } from './federation.js';
import { addListCommands } from './lists.js';
import { addGlobalOptions, usesColor } from './options.js';
import { addPurgeCommands } from './purge.js';
import { addQuarantineCommands } from './quarantine.js';
import { addServiceCommands } from './service.js';
import { addStatusCommand } from './status.js';
import { addStreamCommands } from './stream.js';
import { addTopicCommands } from './topic.js';
import { addVerifyCommands } from './verify.js';
import { addVersionCommand } from './version.js';
import type { World } from './world.js';

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong usage or config, 3 refused by policy, 4 not found, 5 verification failed,
6 waited too long, 7 partly done, 8 proof incomplete, 75 try again later. Errors: docs/errors.md`;

function buildProgram(world: World): Command {
  const program = addGlobalOptions(new Command('concordat'))
    .description('Share intelligence between countries, take it back, and prove that it is gone')
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .configureOutput({
      writeOut: world.out,
      writeErr: world.err,
      getOutHasColors: () => usesColor(world),
      getErrHasColors: () => usesColor(world),
      outputError: (text, write) => write(text.replace(/^error: /, 'REQUEST_INVALID  ')),
    })
    .showHelpAfterError('  do        add --help to see what is expected')
    .addHelpText('after', EXIT_CODES)
    .helpCommand(false)
    .exitOverride();
  const groups = [
    addDemoCommands,
    addFederationCommands,
    addBrokerCommands,
    addTopicCommands,
    addServiceCommands,
    addEventCommands,
    addPurgeCommands,
    addStreamCommands,
    addListCommands,
    addFeedCommands,
    addQuarantineCommands,
    addStatusCommand,
    addConfigCommands,
    addVerifyCommands,
    addVersionCommand,
  ];
  for (const add of groups) add(program, world);
  for (const noun of program.commands) noun.helpCommand(false);
  return program;
}

/** Colours the code, and nothing else, of an error. */
export function printError(world: Pick<World, 'err'>, error: ConcordatError, color: boolean): void {
  const [first = '', ...rest] = errorLines(error, adviceFor(error.code));
  const painted = first.replace(error.code, createColors(color).red(error.code));
  world.err([painted, ...rest].map((line) => `${line}\n`).join(''));
}

/** The world as the process finds it. */
type Outside = Omit<World, 'finish'>;

/**
 * Runs one command.
 *
 * @param args without the names of node and the program
 * @returns the exit code
 */
export async function runCommand(args: readonly string[], world: Outside): Promise<number> {
  let exitCode: number = EXIT.done;
  const finish = (code: number): void => {
    exitCode = code;
  };
  const program = buildProgram({ ...world, finish });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (cause) {
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT.done : EXIT.usage;
    const error = asConcordatError(cause);
    const color = usesColor(world) && program.opts<{ readonly color: boolean }>().color;
    printError(world, error, color);
    return exitCodeOf(error.code);
  }
}
