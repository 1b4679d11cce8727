// farsight verify

import { verifyIndex } from '../index/verify.ts';
import { type Command, directoryArgument, ProgressLine, parseFlags, print } from './command.ts';

export const verify: Command = {
  summary: 'check every section of an index',
  help: `farsight verify DIR [--deep] [--json]

Reads every section and compares it with its checksum; exit 1 and the section's name when something is off.

  --deep    also check what sections mean: maps that are inverse, levels, keys, records
  --json    print the result as JSON`,

  async run(args) {
    const { values, positionals } = parseFlags(args, { deep: { type: 'boolean' }, json: { type: 'boolean' } });
    const directory = directoryArgument(positionals);
    const progress = new ProgressLine();
    let read = 0;
    const result = verifyIndex(directory, values.deep ?? false, (bytes, total) => {
      read += bytes;
      progress.report('verify', read, total, 'bytes');
    });
    progress.end();
    if (values.json) print(JSON.stringify({ ...result, ok: result.findings.length === 0 }));
    else if (result.findings.length === 0)
      print(`${directory}: ${result.sections} sections, ${result.bytes} bytes, all good`);
    for (const { section, detail } of result.findings) process.stderr.write(`farsight verify: ${section}: ${detail}\n`);
    return result.findings.length === 0 ? 0 : 1;
  },
};
