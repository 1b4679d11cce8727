// farsight serve

import { describeServeFlags, readConfig, serveFlags } from '../config.ts';
import { serve as serveCollections } from '../server.ts';
import { type Command, noArguments, parseFlags } from './command.ts';

export const serve: Command = {
  summary: 'serve collections over HTTP',
  help: `farsight serve --collection NAME=DIR … [options]

Serves until SIGINT or SIGTERM, then finishes the rounds that run. A setting can come from a flag, from the environment
(FARSIGHT_PORT for --port) or from the file of --config, in that order.

${describeServeFlags()}`,

  async run(args) {
    const { values, positionals } = parseFlags(args, serveFlags);
    noArguments(positionals);
    await serveCollections(readConfig(values));
    return 0;
  },
};
