// The quality report of a build: what the manifest says, that it costs no byte of the index, and inspect's own measuring.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { inspect } from '../../src/commands/inspect.ts';
import { clusterSizes } from '../../src/index/cluster-sizes.ts';
import { openIndex, readManifest } from '../../src/index/open.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { farsight, plainNode } from '../cli/program.ts';
import { GOLDEN_INDEX } from '../index/golden-index.ts';
import { temporaryFolder } from '../support.ts';
import { build, groupedValues, type Input, uniformValues, writeVectors } from './collections.ts';
import { interceptChanges } from './file-system.ts';
import { KILLED, inputs as killedInputs, reset, twoIndexes } from './two-indexes.ts';

const ITEMS = 2000;
const QUERIES = 5;

const folder = temporaryFolder(t);
const inputs: Readonly<Record<string, Input>> = {
  visual: [writeVectors(join(folder, 'visual.npy'), 8, groupedValues(1, ITEMS, 8, 25, 0.3)), { codec: 'sq8' }],
  words: [writeVectors(join(folder, 'words.npy'), 20, groupedValues(2, ITEMS, 20, 25, 0.3)), { codec: 'ratio' }],
};
const measured = join(folder, 'measured');
await build(measured, inputs, { qualityQueries: QUERIES });

t.test('the manifest says how good rounds of b clusters are, in every modality', async (t) => {
  const { quality, modalities } = readManifest(measured);
  t.match(quality, { top: 100, positives: 10, negatives: 100, target: 0.95 });
  t.strictSame(
    quality?.modalities.map(({ name }) => name),
    ['visual', 'words'],
  );
  for (const [m, { recall, cluster_sizes: sizes }] of (quality?.modalities ?? []).entries()) {
    t.equal(recall.hyperplanes, QUERIES);
    t.equal(sizes.mean, ITEMS / (modalities[m]?.clusters ?? 0));
    const means = recall.by_clusters.map(({ related, random }) => Math.min(related.mean, random.mean));
    t.ok((means[0] as number) < 0.95 && means.at(-1) === 1, 'one cluster does not do, all do');
    t.ok((recall.recommended_clusters as number) > 1);
    for (const { related, random } of recall.by_clusters) {
      for (const { mean, least } of [related, random]) t.ok(least <= mean && least >= 0);
    }
  }
  t.strictSame(verifyIndex(measured, true, () => {}).findings, []);
});

t.test('the same bytes at any number of threads, and nothing but the manifest depends on the queries', async (t) => {
  const filesOf = (directory: string) =>
    new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'latin1')]));
  const expected = filesOf(measured);
  for (const threads of [2, 3]) {
    const out = join(folder, `threads-${threads}`);
    await build(out, inputs, { qualityQueries: QUERIES, threads });
    t.strictSame(filesOf(out), expected, `${threads} threads`);
  }
  const without = join(folder, 'without');
  const { quality, generation } = await build(without, inputs, { qualityQueries: 0 });
  t.equal(quality, undefined);
  t.equal(generation, readManifest(measured).generation, 'equal generations answer alike, measured or not');
  const unmeasured = filesOf(without);
  for (const [name, bytes] of expected) if (name !== 'manifest.json') t.ok(unmeasured.get(name) === bytes, name);
});

t.test('a small collection is not measured, and an index without measurement opens', async (t) => {
  const small = join(folder, 'small');
  const path = writeVectors(join(folder, 'small.npy'), 4, groupedValues(3, 999, 4, 5, 0.1));
  t.equal((await build(small, { a: [path] }, { qualityQueries: 5 })).quality, undefined);
  t.equal(openIndex(GOLDEN_INDEX).manifest.quality, undefined);
  t.match(farsight('inspect', small).stdout, /^ {2}recall {11}not measured \(fewer than 1000 items\)$/m);
  await t.rejects(inspect.run([small, '--quality']), /has 999 items, --quality measures 1000 or more/);
});

t.test('inspect shows the report, and measures the same again without writing', async (t) => {
  const manifest = readFileSync(join(measured, 'manifest.json'), 'utf8');
  const report = JSON.parse(farsight('inspect', measured, '--json').stdout);
  t.strictSame(report.quality, readManifest(measured).quality);
  const again = farsight('inspect', measured, '--json', '--quality', '--quality-queries', `${QUERIES}`);
  t.strictSame(JSON.parse(again.stdout), report);
  const { stdout } = farsight('inspect', measured);
  for (const line of [
    /^ {2}skew {13}largest \d+\.\d times the mean, Gini 0\.\d{3}$/m,
    /^ {2}recommended {6}b = \d+ for a mean recall of 0\.95$/m,
    /^ {2}recall@100 {7}at b = 1 to 256, of 5 hyperplanes of each kind: mean ± deviation \(least\)$/m,
    /^ {9}1 {2}0\.\d{3} ± 0\.\d{3} \([01]\.\d\d\) +0\.\d{3} ± 0\.\d{3} \([01]\.\d\d\)$/m,
  ]) {
    t.match(stdout, line);
  }
  const without = join(folder, 'unmeasured');
  await build(without, inputs, { qualityQueries: 0 });
  t.match(farsight('inspect', without).stdout, /not measured \(left out of the build; --quality does it now\)/);
  t.strictSame(
    JSON.parse(farsight('inspect', without, '--json', '--quality', '--quality-queries', `${QUERIES}`).stdout).quality,
    report.quality,
  );
  t.equal(readManifest(without).quality, undefined, 'nothing was written');
  t.equal(readFileSync(join(measured, 'manifest.json'), 'utf8'), manifest);
  await t.rejects(inspect.run([measured, '--quality-queries', '3']), { name: 'UsageError', message: /goes with/ });
});

t.test('rabitq codes are measured too, and inspect says which of them bytes_per_item chose', async (t) => {
  const path = writeVectors(join(folder, 'wide.npy'), 72, groupedValues(5, ITEMS, 72, 25, 0.3));
  const budgets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    folded: { bytes_per_item: '36' },
    planes: { codec: 'rabitq', bits: '8', scan_bits: '1' },
    part: { bytes_per_item: '54' },
  };
  const out = join(folder, 'rabitq');
  await build(out, Object.fromEntries(Object.entries(budgets).map(([name, keys]) => [name, [path, keys]])), {
    qualityQueries: QUERIES,
  });
  const { quality } = readManifest(out);
  t.strictSame(
    quality?.modalities.map(({ name }) => name),
    Object.keys(budgets),
  );
  for (const { name, recall } of quality?.modalities ?? []) {
    // Exhaustive is over the same codes, so that all clusters find the same.
    t.match(recall.by_clusters.at(-1), { related: { least: 1 }, random: { least: 1 } }, name);
    t.ok((recall.by_clusters[0]?.random.mean ?? 1) < 0.95 && recall.recommended_clusters !== null, name);
  }
  const report = JSON.parse(farsight('inspect', out, '--json').stdout);
  t.strictSame(
    report.modalities.map(({ rabitq }: { rabitq: unknown }) => rabitq),
    [
      { bits: 4, scan_bits: 4, full_dims: 72, folded: true },
      { bits: 8, scan_bits: 1, full_dims: 72, folded: false },
      { bits: 6, scan_bits: 4, full_dims: 32, folded: false },
    ],
  );
  t.strictSame(farsight('inspect', out).stdout.match(/^ {2}codec .*$/gm), [
    '  codec            rabitq, 72 dims, 4 bits, folded, unit length',
    '  codec            rabitq, 72 dims, 8 bits, 1 scanned, unit length',
    '  codec            rabitq, 72 dims, 6 bits (5 behind the first 32 dims), 4 scanned, unit length',
  ]);
  t.equal(JSON.parse(farsight('inspect', measured, '--json').stdout).modalities[0].rabitq, null);
});

t.test('where too much lies in huge clusters no width is recommended', async (t) => {
  const out = join(folder, 'huge');
  const path = writeVectors(join(folder, 'many.npy'), 4, uniformValues(4, 4 * 4500));
  await build(out, { a: [path] }, { qualityQueries: 3, sizeLimit: 1, clusterSize: 2 });
  const { quality, modalities } = readManifest(out);
  const [modality] = quality?.modalities ?? [];
  t.ok((modalities[0]?.clusters ?? 0) > 1024, 'more clusters than the widest measured');
  t.equal(modality?.recall.recommended_clusters, null);
  t.match(farsight('inspect', out).stdout, /recommended {6}none: no b to 1024 has a mean recall of 0\.95$/m);
});

t.test('skew is that of the sizes', async (t) => {
  const even = clusterSizes(Uint32Array.of(0, 5, 10, 15, 20));
  t.match(even, { mean: 5, deviation: 0, largest: 5, largest_to_mean: 1, gini: 0 });
  const skewed = clusterSizes(Uint32Array.of(0, 0, 0, 0, 20));
  t.match(skewed, { mean: 5, largest_to_mean: 4, gini: 0.75 }, 'one of n holds all: 1 - 1/n');
  // Mean absolute difference over twice the mean: of 1 and 3 that is (2 * 2 / 4) / (2 * 2).
  t.equal(clusterSizes(Uint32Array.of(0, 3, 4)).gini, 0.25);
});

t.test('progress names the stage, and a build killed in it goes on with the next modality', async (t) => {
  const { folder, out, input } = await twoIndexes(t);
  const steps: string[] = [];
  const killAt = await firstMeasured(
    folder,
    join(`${out}.building`, 'journal.json'),
    async () => await build(out, killedInputs(input), KILLED),
  );
  t.ok(killAt > 0);
  const expected = readFileSync(join(out, 'manifest.json'), 'utf8');
  await reset(out, false);
  const child = fileURLToPath(new URL('killed-build.js', import.meta.url));
  const [command, nodeArgs] = plainNode;
  spawnSync(command, [...nodeArgs, child, input, out, `${killAt}`, 'anew', '1'], { stdio: 'ignore' });
  await t.rejects(() => build(out, killedInputs(input), { ...KILLED, resume: true, qualityQueries: 2 }), {
    name: 'IndexError',
    message: /cannot resume, --quality-queries was 1 and is 2/,
  });
  await build(out, killedInputs(input), { ...KILLED, resume: true }, ({ modality, stage, done, total, unit }) => {
    steps.push(`${modality} ${stage} ${done} of ${total} ${unit}`);
  });
  t.strictSame(steps, ['b quality 1 of 2 hyperplanes', 'b quality 2 of 2 hyperplanes'], 'a was measured before');
  t.equal(readFileSync(join(out, 'manifest.json'), 'utf8'), expected);
});

/** The first change of the file system of a whole build at which the journal has the quality of one modality. */
async function firstMeasured(folder: string, journal: string, run: () => Promise<unknown>): Promise<number> {
  let first = 0;
  const restore = interceptChanges(folder, (change) => {
    if (first > 0 || !existsSync(journal)) return;
    const { quality = {} } = JSON.parse(readFileSync(journal, 'utf8'));
    if (Object.keys(quality).join() === 'a') first = change;
  });
  try {
    await run();
  } finally {
    restore();
  }
  return first;
}
