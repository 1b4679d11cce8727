// The commands of docs/inputs.md, run on files of the names they use.

import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type NpyType, npyHeader } from '../../index-builder/readers/npy-array.ts';
import { openIndex } from '../../src/index/open.ts';
import { array, COLUMNS, ids, ROWS, writeFormats } from '../readers/array.ts';
import { temporaryFolder } from '../support.ts';
import { bin, plainNode } from './program.ts';

const page = readFileSync(fileURLToPath(new URL('../../../docs/inputs.md', import.meta.url)), 'utf8');
const [, examples = ''] = /^```\n(farsight build .*?)^```$/ms.exec(page) ?? [];
const commands = examples.trimEnd().split('\n');

/** What stands for the files of the page. */
const FILES: Readonly<Record<string, string>> = {
  'embeddings.npy': 'c.npy',
  'parts-0.npy': 'c.npy',
  'parts-1.npy': 'double.npy',
  'items.parquet': 'zstd.parquet',
  'features.h5': 'many.h5',
  'weights.safetensors': 'many.safetensors',
  'vectors.csv': 'column.csv',
};

const folder = temporaryFolder(t);
writeFormats(join(folder, 'formats'));
for (const [name, source] of Object.entries(FILES)) cpSync(join(folder, 'formats', source), join(folder, name));
writeLines('keys.txt', (row) => `key ${row}`);
writeLines('items.csv', (row) => (row === 0 ? 'title,year\na,1999' : `"b, ${row}",2000`));
// Sparse scores are not negative.
const scores = array.map(Math.abs);
writeArray('scores.npy', 'f4', scores);
writeArray('ids.npy', 'i4', ids);
const rowOf = (values: Float32Array | Int32Array, row: number): number[] => [
  ...values.subarray(row * COLUMNS, (row + 1) * COLUMNS),
];
writeLines('both.jsonl', (row) => JSON.stringify({ scores: rowOf(scores, row), ids: rowOf(ids, row) }));

t.equal(commands.length, 8, 'all examples of the page are found');
for (const command of commands) {
  t.test(command, async (t) => {
    const [program, nodeArgs] = plainNode;
    const [, ...args] = command.split(' ');
    const { status, stderr } = spawnSync(program, [...nodeArgs, bin, ...args], { cwd: folder, encoding: 'utf8' });
    t.equal(status, 0, stderr);
    const { items, modalities } = openIndex(join(folder, 'idx'));
    t.equal(items, command.includes('parts-*') ? 2 * ROWS : ROWS);
    t.equal(modalities.size, command.split('--modality').length - 1);
    rmSync(join(folder, 'idx'), { recursive: true });
  });
}

function writeArray(name: string, type: NpyType, values: Float32Array | Int32Array): void {
  const header = npyHeader(type, [ROWS, COLUMNS]);
  writeFileSync(join(folder, name), Buffer.concat([header, new Uint8Array(values.buffer)]));
}

function writeLines(name: string, line: (row: number) => string): void {
  writeFileSync(join(folder, name), Array.from({ length: ROWS }, (_, row) => `${line(row)}\n`).join(''));
}
