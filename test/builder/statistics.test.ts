// The statistics of a modality and the report of inspect, against counts by brute force.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ModalityManifest } from '../../src/index/format.ts';
import { inspectIndex } from '../../src/index/inspect.ts';
import { readManifest } from '../../src/index/open.ts';
import { readWords } from '../../src/index/sections.ts';
import { seededRandom } from '../../src/random.ts';
import { temporaryFolder } from '../support.ts';
import { build, decode, uniformValues, writeVectors } from './collections.ts';

const ITEMS = 1500;
const CLUSTER_SIZE = 10;

for (const [codec, dims, lowest] of [
  ['sq8', 6, -1],
  ['ratio', 12, 0],
] as const) {
  t.test(`statistics of ${codec} codes are what counting gives`, async (t) => {
    const folder = temporaryFolder(t);
    const values = awkwardValues(dims, lowest);
    const path = writeVectors(join(folder, 'a.npy'), dims, values);
    const out = join(folder, 'index');
    const keys = { codec, normalize: 'false', ...(codec === 'ratio' ? { features: `${dims}` } : {}) };
    const manifest = await build(out, { a: [path, keys] }, { clusterSize: CLUSTER_SIZE, refine: 1 });
    const { statistics } = manifest.modalities[0] as ModalityManifest;
    const { items } = decode(out, 'a');

    const texts = items.map((vector) => vector.join());
    t.equal(statistics.duplicates, ITEMS - new Set(texts).size);
    t.ok(statistics.duplicates >= 499 + 99, 'the repeated vector and the zero vectors');

    // The largest step of sq8 is the range of a dimension, below 2, over 255.
    const zero = items.filter((vector) => vector.every((value) => Math.abs(value) <= (codec === 'sq8' ? 1 / 255 : 0)));
    t.equal(statistics.zero_vectors, zero.length);
    t.equal(zero.length, 100);

    let error = 0;
    items.forEach((vector, item) => {
      vector.forEach((value, d) => {
        error = Math.max(error, Math.abs(value - (values[item * dims + d] as number)));
      });
    });
    t.ok(Math.abs(error - statistics.max_value_error) <= 2 ** -22, `${error} against ${statistics.max_value_error}`);

    const sizes = sizesOf(out);
    const limit = manifest.build.size_limit;
    t.equal(limit, 10 * CLUSTER_SIZE, 'more than 1 % of 1,500 items');
    const huge = sizes.filter((size) => size > limit);
    t.equal(statistics.largest_cluster, Math.max(...sizes));
    t.ok(huge.length > 0);
    t.equal(statistics.huge_clusters, huge.length);
    t.equal(
      statistics.unreachable_items,
      huge.reduce((sum, size) => sum + size, 0),
    );
    t.equal(statistics.empty_clusters, 0);
  });
}

t.test('inspect reports sizes, quantiles and bytes as the files have them', async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, 'index');
  const input = (seed: number) => writeVectors(join(folder, `${seed}.npy`), 6, uniformValues(seed, 6 * ITEMS));
  await build(out, { a: [input(1)], b: [input(2), { codec: 'ratio', features: '3' }] });
  const report = inspectIndex(out);
  const { generation, modalities } = readManifest(out);
  t.match(report, { generation, items: ITEMS, seed: 1, build: { cluster_size: 10, assign: 'exact', refine: 1 } });

  const onDisk = readdirSync(out)
    .filter((name) => name !== 'manifest.json')
    .reduce((sum, name) => sum + statSync(join(out, name)).size - 4096, 0);
  t.equal(report.bytes, onDisk);
  t.equal(report.bytes_per_item, onDisk / ITEMS);
  t.equal(
    report.sections.reduce((sum, { bytes }) => sum + bytes, 0),
    onDisk,
  );
  const perModality = report.modalities.reduce((sum, { bytes_per_item }) => sum + bytes_per_item, 0);
  t.ok(Math.abs(perModality - report.bytes_per_item) < 1e-9, 'without attachments all bytes are of modalities');

  const [first] = report.modalities;
  const sizes = sizesOf(out).sort((a, b) => a - b);
  const mean = ITEMS / sizes.length;
  t.match(first, { name: 'a', codec: 'sq8', dims: 6, normalize: true, clusters: sizes.length });
  t.strictSame(first?.statistics, modalities[0]?.statistics);
  t.strictSame(first?.levels, [sizes.length, ...(sizes.length < 100 ? [] : [Math.round(sizes.length / 100)])]);
  const { cluster_sizes: sizesReported } = first as NonNullable<typeof first>;
  t.equal(sizesReported.mean, mean);
  t.equal(sizesReported.largest, sizes.at(-1));
  const deviation = Math.sqrt(sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length);
  t.ok(Math.abs(sizesReported.deviation - deviation) < 1e-9);
  for (const [name, share] of [
    ['p1', 0.01],
    ['p10', 0.1],
    ['p50', 0.5],
    ['p90', 0.9],
    ['p99', 0.99],
  ] as const) {
    const quantile = sizesReported.quantiles[name] as number;
    t.ok(sizes.filter((size) => size <= quantile).length >= share * sizes.length);
    t.ok(sizes.filter((size) => size < quantile).length < share * sizes.length);
  }
});

/** Random vectors, of which a hundred are zero and five hundred repeat one; all in random places. */
function awkwardValues(dims: number, lowest: 0 | -1): Float32Array {
  const values = uniformValues(1, ITEMS * dims, lowest);
  const rows = Array.from({ length: ITEMS }, (_, row) => row);
  const random = seededRandom(1, 'awkward rows');
  for (let i = 0; i < 600; i++) {
    const j = i + random.below(ITEMS - i);
    [rows[i], rows[j]] = [rows[j] as number, rows[i] as number];
    const row = rows[i] as number;
    values.fill(i < 100 ? 0 : 0.25, row * dims, (row + 1) * dims);
  }
  return values;
}

function sizesOf(directory: string): number[] {
  const starts = readWords(directory, readManifest(directory), 'a.starts');
  return Array.from({ length: starts.length - 1 }, (_, c) => (starts[c + 1] as number) - (starts[c] as number));
}
