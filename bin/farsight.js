#!/usr/bin/env node
// The farsight program of a checkout or an installed package: starts the compiled command line.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cli = new URL('../dist/src/cli.js', import.meta.url);
const addon = new URL('../native/build/Release/farsight.node', import.meta.url);
const missing = [cli, addon].find((part) => !existsSync(part));

if (missing) {
  console.error(
    `farsight: ${fileURLToPath(missing)} is missing; run \`npm run build\` in ${fileURLToPath(new URL('..', import.meta.url))}`,
  );
  process.exitCode = 1;
} else {
  try {
    await import(cli.href);
  } catch (error) {
    // The addon does not load: built for another Node, or KERNELS_ISA names what this CPU cannot run.
    console.error(`farsight: ${error.message}`);
    process.exitCode = 1;
  }
}
