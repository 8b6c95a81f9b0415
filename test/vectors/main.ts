import { vectorsCommand } from './vectors-command.js';

process.exitCode = vectorsCommand(process.argv[2] ?? '', {
  out: (line) => console.log(line),
  err: (line) => console.error(line),
});
