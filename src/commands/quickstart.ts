// farsight quickstart

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILD_DEFAULTS, buildIndex } from '../../index-builder/main.ts';
import { describeServeFlags, readConfig, serveFlags } from '../config.ts';
import type { Manifest } from '../index/format.ts';
import { serve } from '../server.ts';
import { type Command, noArguments, ProgressLine, parseFlags, print } from './command.ts';

const NAME = 'emoji';

export const quickstart: Command = {
  summary: 'index and serve a small picture collection, to try things out',
  help: `farsight quickstart [options]

Describes 1,900 emoji by looks and by words, indexes them in a temporary folder, serves them as the collection
"${NAME}" and prints three curl lines that do a first round. Takes the flags of farsight serve.

${describeServeFlags()}`,

  async run(args) {
    const { values, positionals } = parseFlags(args, serveFlags);
    noArguments(positionals);
    const folder = mkdtempSync(join(tmpdir(), 'farsight-quickstart-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const index = join(folder, 'index');
    const config = readConfig({ ...values, collection: [`${NAME}=${index}`] });

    // Pictures and their decoder are development packages: loaded only here.
    const { firstRoundCommands, prepareQuickstart } = await import('../../index-builder/quickstart/prepare.ts').catch(
      (error: Error) => {
        throw new Error(`the pictures are development packages, run npm ci in a checkout (${error.message})`);
      },
    );
    const progress = new ProgressLine();
    let manifest: Manifest;
    try {
      const files = prepareQuickstart(join(folder, 'files'), (done, total) =>
        progress.report('describe', done, total, 'pictures'),
      );
      manifest = await buildIndex({ ...BUILD_DEFAULTS, ...files, out: index, threads: config.workers }, () => {});
    } finally {
      progress.end();
    }
    print(`indexed ${manifest.items} pictures in ${manifest.modalities.length} modalities`);
    const { url } = await serve(config);
    print(['', 'Try a first round:', '', ...firstRoundCommands(config.host, portOf(url), NAME), ''].join('\n'));
    return 0;
  },
};

/** The port that was listened on: the one chosen by the system with --port 0. */
function portOf(url: string): number {
  return Number(new URL(url).port || 80);
}
