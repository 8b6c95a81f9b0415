import type { Command } from 'commander';
import type { World } from './world.js';

/** The demo brings its own commands, and a good part of the services with it: loaded when it is asked for. */
export function addDemoCommands(program: Command, world: World): void {
  program
    .command('demo')
    .description('the whole story on real data: demo run --data DIR --report FILE')
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .action(async (args: readonly string[]) => {
      const { demoCommand } = await import('../demo/command.js');
      const demo = demoCommand(world.settings);
      for (const command of [demo, ...demo.commands]) command.exitOverride();
      await demo.parseAsync([...args], { from: 'user' });
      if (typeof process.exitCode === 'number') world.finish(process.exitCode);
    });
}
