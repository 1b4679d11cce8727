// The papers' figures from the results of farsight simulate, as SVG and PNG.
//
//   node dist/bench/figures.js RESULT.json… --out DIR

import { parseFlags, UsageError } from '../src/commands/command.ts';
import { drawFigures } from './figures/draw.ts';

const HELP = `node dist/bench/figures.js RESULT.json… --out DIR

Draws what the results of farsight simulate hold, as NAME.svg and NAME.png, and lists it in DIR/index.md:
  imagenet, imagenet-unknown   fig2, fig2-rounds, fig2-rounds-unknown, table1 (also as Markdown)
  yfcc100m                     fig4, fig5, fig6
  lsc                          found
  iris                         iris, iris-swept, iris-zeta (also as Markdown, with tested differences)
Results of the same protocol, collection and machine are drawn together; others get pictures of their own.`;

process.exitCode = await run(process.argv.slice(2));

/** 0 on success, 2 on bad usage, 1 on failure. */
async function run(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseFlags(args, {
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    });
    if (values.help) {
      process.stdout.write(`${HELP}\n`);
      return 0;
    }
    if (positionals.length === 0) throw new UsageError('no result was named; see --help');
    if (values.out === undefined) throw new UsageError('--out DIR is missing: the folder for the pictures');
    const { written, missing } = await drawFigures(positionals, values.out);
    for (const line of missing) process.stdout.write(`not drawn: ${line}\n`);
    for (const name of written) process.stdout.write(`${values.out}/${name}\n`);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`figures: ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}
