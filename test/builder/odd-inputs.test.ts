// What a build says of files that are not what they were: too long, changed while it ran, gone, or damaged between runs.

import { appendFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { freeBytes } from '../../index-builder/stages/disk.ts';
import { ScratchFile } from '../../index-builder/stages/scratch.ts';
import { versionOf } from '../../index-builder/stages/source.ts';
import { build as buildCommand } from '../../src/commands/build.ts';
import { readManifest } from '../../src/index/open.ts';
import { temporaryFolder } from '../support.ts';
import { build, uniformValues, writeLines, writeVectors } from './collections.ts';

const ITEMS = 40;
const folder = temporaryFolder(t);
const out = join(folder, 'index');
const vectors = writeVectors(join(folder, 'v.npy'), 4, uniformValues(1, 4 * ITEMS));
const perItem = (line: (item: number) => string) => Array.from({ length: ITEMS }, (_, item) => line(item));

t.test('lists that memory could not hold are refused before anything is read', async (t) => {
  const long = join(folder, 'long.txt');
  writeFileSync(long, 'a\n');
  truncateSync(long, 2 ** 31 + 1);
  const message =
    /long\.txt: 2147483649 bytes; keys, metadata and lists of pictures are held in memory, .*shorten them/;
  for (const attached of [{ ids: long }, { metadata: long }, { thumbnails: long }]) {
    await t.rejects(build(out, { a: [vectors] }, attached), { name: 'IndexError', message });
  }
});

t.test('keys that take more than the memory given are refused with what would do', async (t) => {
  const ids = writeLines(
    join(folder, 'ids.txt'),
    perItem((item) => `${item}`.padStart(1.5 * 2 ** 20, 'k')),
  );
  const options = { ids, memoryBytes: 450 * 2 ** 20 };
  await t.rejects(build(out, { a: [vectors] }, options), {
    message: /ids\.txt: reading it takes about \d+.* of memory and --memory is 450.* give more, or build without it/,
  });
});

t.test('a build is not resumed from a journal that is damaged, or from other inputs', async (t) => {
  mkdirSync(`${out}.building`);
  writeFileSync(join(`${out}.building`, 'journal.json'), '{"identity":');
  await t.rejects(build(out, { a: [vectors] }, { resume: true }), {
    message: /journal\.json: not readable \(.*\); build again without --resume/,
  });
  t.equal((await build(out, { a: [vectors] })).items, ITEMS);
});

t.test('records aside are as many as were written, or the file is named', async (t) => {
  const path = join(folder, 'records');
  const written = new ScratchFile(path, 4, 0);
  written.append(new Uint8Array(40));
  written.sync();
  t.equal(written.rows, 10);
  const all = new Uint8Array(40);
  written.read(0, all);
  truncateSync(path, 30);
  t.throws(() => written.read(5, all.subarray(0, 20)), {
    message: /records: shorter than it was written; it was changed/,
  });
  written.close();
  t.throws(() => new ScratchFile(path, 4, 10), { message: /records: 30 bytes, expected at least 40; it was changed/ });
  appendFileSync(path, new Uint8Array(12));
  const again = new ScratchFile(path, 4, 10);
  t.equal(again.rows, 10, 'what follows the rows is cut off');
  again.close();
});

t.test('free space is that of the nearest folder there is', async (t) => {
  t.ok(freeBytes(join(folder, 'not/yet/there')) > 0);
  t.ok(freeBytes(join(vectors, 'below-a-file')) > 0);
  symlinkSync('loop', join(folder, 'loop'));
  t.throws(() => freeBytes(join(folder, 'loop/index')), {
    message: /loop.*: free space cannot be read \(ELOOP\); choose another --out/,
  });
});

t.test('an input that is gone has a version of its own', async (t) => {
  t.equal(versionOf(join(folder, 'gone')), 'not there');
  t.match(versionOf(vectors), /^\d+ bytes of \d{4}-\d\d-\d\dT/);
});

t.test('every flag of a build may be given', async (t) => {
  const metadata = writeLines(
    join(folder, 'm.jsonl'),
    perItem((item) => `{"n":${item}}`),
  );
  const ids = writeLines(
    join(folder, 'k.txt'),
    perItem((item) => `k${item}`),
  );
  const flags = ['--metadata', metadata, '--ids', ids, '--memory', '1GiB', '--quality-queries', '2', '--threads', '1'];
  const more = ['--seed', '5', '--cluster-size', '10', '--refine', '1', '--assign', 'tree', '--size-limit', '30'];
  t.equal(await buildCommand.run(['--out', out, '--modality', `a=${vectors}`, ...flags, ...more]), 0);
  const { seed, build: settings, sections } = readManifest(out);
  t.strictSame([seed, settings.assign, settings.size_limit], [5, 'tree', 30]);
  t.ok(sections.some(({ name }) => name === 'metadata.bytes'));
  for (const [name, text] of [
    ['--memory', 'much'],
    ['--memory', '1QB'],
    ['--quality-queries', '-1'],
  ] as const) {
    const refused = buildCommand.run(['--out', out, '--modality', `a=${vectors}`, `${name}=${text}`]);
    await t.rejects(refused, { name: 'UsageError', message: new RegExp(`${name} ${text}: expected a`) });
  }
});
