// What a build holds in memory, asked of the system while it runs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { readManifest } from '../../src/index/open.ts';
import { seededRandom } from '../../src/random.ts';
import { plainNode } from '../cli/program.ts';
import { temporaryFolder } from '../support.ts';

const child = fileURLToPath(new URL('bounded-build.js', import.meta.url));
const [command, nodeArgs] = plainNode;
const ROWS = 400_000;
const DIMS = 512;
const MIB = 2 ** 20;
/**
 * What the plan takes to write all rows as one partition, and a little: 256 MiB for the process itself, 128 MiB for parts
 * that are read, 12 bytes a row, and the records, two bytes a dimension (391 MiB). What holds them twice is found out.
 */
const MEMORY_BYTES = 790 * MIB;
const PROCESS_BYTES = 256 * MIB;
/** Of an item while the grid is made: its place in double, its cell, and that packed. */
const GRID_BYTES = 14;
const SAMPLE_MS = 5;

t.test(
  'a build holds no more memory than it may, beside pages of files, and little when all is written',
  { skip: existsSync('/proc/self/status') ? false : 'the system does not say what is whose' },
  async (t) => {
    const folder = temporaryFolder(t);
    const input = join(folder, 'vectors.npy');
    writeFileSync(input, Buffer.concat([npyHeader('u1', [ROWS, DIMS]), repeatedBytes(ROWS * DIMS)]));
    const out = join(folder, 'index');
    const args = [...nodeArgs, child, input, out, `${MEMORY_BYTES}`];
    const building = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    building.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    const ended = once(building, 'close');
    await once(building.stdout, 'data');
    // The program itself and the libraries it has loaded are pages of files too.
    const programBytes = residentBytes(building.pid, 'RssFile');
    const own = new Map<string, number>();
    while (building.exitCode === null && building.signalCode === null) {
      const stage = printed.trimEnd().split('\n').at(-1) as string;
      own.set(stage, Math.max(own.get(stage) ?? 0, residentBytes(building.pid, 'RssAnon')));
      await sleep(SAMPLE_MS);
    }
    t.strictSame(await ended, [0, null]);
    const ownBytes = Math.max(...own.values());
    t.ok(ownBytes > MEMORY_BYTES / 4 && ownBytes <= MEMORY_BYTES, `${ownBytes} bytes of its own at most`);
    const lateBytes = Math.max(...['grid', 'quality'].map((stage) => own.get(stage) ?? 0));
    t.ok(lateBytes > 0 && lateBytes <= PROCESS_BYTES + GRID_BYTES * ROWS, `${lateBytes} bytes for grid and quality`);
    const indexBytes = readManifest(out).sections.reduce((sum, { bytes }) => sum + bytes, 0);
    const mostBytes = Number(printed.trimEnd().split('\n').at(-1));
    // Twice the program: what it has not touched when it begins it may touch later.
    const allowedBytes = MEMORY_BYTES + indexBytes + 2 * programBytes;
    t.ok(mostBytes > ownBytes && mostBytes <= allowedBytes, `${mostBytes} bytes in all, ${allowedBytes} allowed`);
  },
);

/** Of a process that runs; 0 when it has ended. */
function residentBytes(pid: number | undefined, kind: 'RssAnon' | 'RssFile'): number {
  try {
    const [, kib] =
      new RegExp(`^${kind}:\\s+([0-9]+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** A million random bytes and three, over and over: rows differ, and drawing all would take most of the test. */
function repeatedBytes(count: number): Uint8Array {
  const random = seededRandom(1, 'repeated bytes');
  const drawn = Uint8Array.from({ length: 1_000_003 }, () => random.below(256));
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += drawn.length) bytes.set(drawn.subarray(0, Math.min(drawn.length, count - at)), at);
  return bytes;
}
