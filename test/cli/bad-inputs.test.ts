// farsight build on input that it cannot use: the exit code, one line that names file and row, and nothing left behind.

import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { npyHeader } from '../../index-builder/readers/npy-array.ts';
import { ROWS, writeFormats } from '../readers/array.ts';
import { temporaryFolder } from '../support.ts';
import { farsight } from './program.ts';

const folder = temporaryFolder(t);
const inputs = join(folder, 'inputs');
writeFormats(inputs);
const file = (name: string): string => join(inputs, name);

for (const name of ['c.npy', 'snappy.parquet', 'one.h5', 'a.fvecs', 'many.safetensors', 'zstd.arrow']) {
  cpSync(file(name), file(`cut-${name}`));
  truncateSync(file(`cut-${name}`), Math.floor(0.6 * readFileSync(file(name)).length));
}
writeFileSync(file('cube.npy'), Buffer.concat([npyHeader('f4', [2, 3, 4]), Buffer.alloc(96)]));
writeFileSync(file('pickle.npy'), Buffer.from('800495', 'hex'));
writeFileSync(file('ragged.csv'), '1,2\n3,4\n5\n');
writeFileSync(file('word.csv'), '1,2\n3,x\n');
writeFileSync(file('nan.csv'), '1,2\n3,nan\n');
writeFileSync(file('keys.txt'), Array.from({ length: ROWS }, (_, row) => `key ${row % (ROWS - 1)}\n`).join(''));
writeFileSync(file('short.csv'), 'title\na\n');

/** What is built, and what the line on stderr says after `farsight build: `. */
const failures: readonly (readonly [modality: string, attached: readonly string[], message: RegExp])[] = [
  [`a=${file('absent.npy')}`, [], /absent\.npy: does not exist; expected a file or folder; check the path/],
  [`a=${inputs}`, [], /inputs: is a folder of \d+ names, no format known here; .*; name a file inside it/],
  [`a=${file('*.nothing')}`, [], /\*\.nothing: matches nothing; .*; check the pattern/],
  [`a=${file('pickle.npy')}`, [], /pickle\.npy: starts with 800495, no format known here; expected .*; save the array/],
  [`a=${file('cube.npy')}`, [], /cube\.npy: has 3 dimensions, shape \(2, 3, 4\); expected /],
  [`a=${file('cut-c.npy')}`, [], /cut-c\.npy: is truncated: /],
  [`a=${file('cut-a.fvecs')}`, [], /cut-a\.fvecs: .*; .*; /],
  [`a=${file('cut-many.safetensors')},tensor=features`, [], /cut-many\.safetensors: .*; .*; /],
  [`a=${file('cut-snappy.parquet')}`, [], /cut-snappy\.parquet: .*; .*; /],
  [`a=${file('cut-zstd.arrow')}`, [], /cut-zstd\.arrow: .*; .*; /],
  [`a=${file('cut-one.h5')}`, [], /cut-one\.h5: .*; .*; /],
  [`a=${file('ragged.parquet')}`, [], /ragged\.parquet row 50: column 'v' has 5 values; expected 6 numbers in every/],
  [`a=${file('null-value.parquet')}`, [], /null-value\.parquet row 7: column 'v' has a null at 2; /],
  [`a=${file('snappy.parquet')},column=pixels`, [], /snappy\.parquet: has no column 'pixels'; expected one of 'key'/],
  [`a=${file('many.npz')}`, [], /many\.npz: has 4 of them: 'half', 'big', .*; add array=NAME/],
  [`a=${file('ragged.csv')}`, [], /ragged\.csv line 3: is not CSV \(1 cells\); expected rows of as many cells/],
  [`a=${file('word.csv')}`, [], /word\.csv line 2: has 'x' in column 1; expected a number/],
  [`a=${file('nan.csv')}`, [], /nan\.csv row 1, column 1: NaN; expected/],
  [`a=${file('c.npy')}`, ['--ids', file('keys.txt')], /keys\.txt line 97: the key "key 0" is also on line 1;/],
  [
    `a=${file('c.npy')}`,
    ['--ids', `${file('short.csv')},column=id`],
    /short\.csv: has no column 'id'; expected one of/,
  ],
  [`a=${file('c.npy')}`, ['--metadata', file('short.csv')], /short\.csv: metadata of 1 items; the vectors have 97/],
];

for (const [modality, attached, message] of failures) {
  t.test(`failure: ${message.source}`, async (t) => {
    const out = join(folder, 'index');
    const { code, stdout, stderr } = farsight('build', '--out', out, '--modality', modality, ...attached);
    t.equal(code, 1, stderr);
    t.equal(stdout, '');
    const complaint = stderr.split('\n').filter((line) => line.startsWith('farsight '));
    t.equal(complaint.length, 1, 'one line');
    t.match(complaint[0], /^farsight build: \//, 'the file comes first');
    t.match(complaint[0], message);
    t.ok(stderr.endsWith(`${complaint[0]}\n`), 'and it is the last');
    t.strictSame(readdirSync(folder), ['inputs'], 'nothing is left');
  });
}

const usages: readonly (readonly [modality: string, message: RegExp])[] = [
  [`a=${file('c.npy')},tensor=x`, /c\.npy: is npy, which does not use tensor=; expected no key; remove or correct it/],
  [`a=${file('many.h5')},column=x`, /many\.h5: is hdf5, which does not use column=; expected dataset; remove/],
  [`a=${file('c.npy')},bits=4,codec=sq8`, /does not use bits; this input and codec use codec, normalize/],
  [`a=${file('c.npy')},colour=red`, /has the unknown key 'colour'; known are /],
  [`a=${file('c.npy')},codec=pq`, /codec=pq: unknown codec; known are /],
];

for (const [modality, message] of usages) {
  t.test(`bad usage: ${message.source}`, async (t) => {
    const { code, stdout, stderr } = farsight('build', '--out', join(folder, 'index'), '--modality', modality);
    t.equal(code, 2, stderr);
    t.equal(stdout, '');
    t.match(stderr, message);
    t.match(stderr, /^farsight [^\n]+\n$/, 'one line');
    t.strictSame(readdirSync(folder), ['inputs'], 'nothing is left');
  });
}
