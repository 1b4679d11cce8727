// farsight <command>: what the program can do, at a glance.

import { build } from './commands/build.ts';
import { type Command, print, UsageError } from './commands/command.ts';
import { embed } from './commands/embed.ts';
import { generate } from './commands/generate.ts';
import { inspect } from './commands/inspect.ts';
import { quickstart } from './commands/quickstart.ts';
import { serve } from './commands/serve.ts';
import { simulate } from './commands/simulate.ts';
import { suggest } from './commands/suggest.ts';
import { topics } from './commands/topics.ts';
import { tune } from './commands/tune.ts';
import { verify } from './commands/verify.ts';
import { ConfigError, packageVersion } from './config.ts';

const commands: Readonly<Record<string, Command>> = {
  build,
  verify,
  inspect,
  serve,
  suggest,
  simulate,
  tune,
  generate,
  embed,
  topics,
  quickstart,
};

process.exitCode = await run(process.argv.slice(2));

/** 0 on success, 2 on bad usage, 1 on failure. */
async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    print(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    print(packageVersion());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return complain(`unknown command ${name}; farsight --help lists them`, 2);
  if (args.includes('--help') || args.includes('-h')) {
    print(command.help);
    return 0;
  }
  try {
    return await command.run(args);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (process.env.FARSIGHT_TRACE === '1' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return complain(`${name}: ${message}`, error instanceof UsageError || error instanceof ConfigError ? 2 : 1);
  }
}

function overview(): string {
  const list = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(11)} ${summary}`);
  return ['farsight <command> [options]', '', ...list, '', 'farsight <command> --help says more.'].join('\n');
}

function complain(message: string, code: number): number {
  process.stderr.write(`farsight ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  return code;
}
