// What a build makes of vectors: levels, clusters and the place of every item, against brute force.

import { join } from 'node:path';
import t from 'tap';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import { hnswAssigner } from '../../index-builder/stages/hnsw.ts';
import { sq8 } from '../../src/codecs/sq8.ts';
import { clusterCount, defaultGroups, levelSizes, sizeLimit } from '../../src/index/ecp.ts';
import type { Manifest } from '../../src/index/format.ts';
import { openIndex, readManifest } from '../../src/index/open.ts';
import { readItemNumbers, readWords } from '../../src/index/sections.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { temporaryFolder } from '../support.ts';
import {
  build,
  decode,
  groupedValues,
  type Input,
  squaredDistance,
  uniformValues,
  writeVectors,
} from './collections.ts';

/** Below this share of agreement hnsw and tree would not be worth their time on separated data; exact has 1. */
const LEAST_AGREEMENT = 0.9;

t.test('each level has a hundredth of the nodes of the one below, until fewer than 100 are the root', async (t) => {
  t.strictSame([1, 99, 100, 149, 150, 9_900, 10_000, 992_066].map(levelSizes), [
    [1],
    [99],
    [100, 1],
    [149, 1],
    [150, 2],
    [9_900, 99],
    [10_000, 100, 1],
    [992_066, 9_921, 99],
  ]);
  t.strictSame(
    [1, 49, 149, 150, 99_206_564].map((items) => clusterCount(items, 100)),
    [1, 1, 1, 2, 992_066],
  );
  t.equal(sizeLimit(99_206_564, 100), 992_065, 'one per cent');
  t.equal(sizeLimit(1000, 100), 1000, 'never less than ten clusters');
});

t.test('clusters are grouped where their representatives take long to read, dense ones sooner', async (t) => {
  t.strictSame(
    [199_999, 200_000, 1_086_768].map((clusters) => defaultGroups(clusters, 'sparse')),
    [0, 781, 4245],
  );
  t.strictSame(
    [49_999, 50_000, 102_975].map((clusters) => defaultGroups(clusters, 'dense')),
    [0, 391, 804],
  );
});

for (const [codec, dims, lowest] of [
  ['sq8', 12, -1],
  ['ratio', 30, 0],
] as const) {
  t.test(`without passes every ${codec} item is with its nearest representative`, async (t) => {
    const folder = temporaryFolder(t);
    const path = writeVectors(join(folder, 'a.npy'), dims, uniformValues(1, 900 * dims, lowest));
    const { out, manifest } = await built(folder, { a: [path, { codec }] }, { refine: 0, clusterSize: 6 });
    const [modality] = manifest.modalities;
    t.equal(modality?.clusters, 150, 'representatives are distinct items, so no cluster is empty');
    t.strictSame(modality?.levels, [150, 2]);
    t.equal(modality?.statistics.assign_agreement, 1);
    t.equal(modality?.spread, false);
    t.strictSame(
      manifest.sections.filter(({ name }) => name.includes('spread')),
      [],
    );

    const { items, representatives } = decode(out, 'a');
    // Distances in float32 from |x|² + |r|² - 2 x·r: each of dims + 2 roundings is at most 2^-24 of |x|² + |r|², which
    // is 2 for unit vectors, in two distances; packing rounds representatives by less than that.
    const tolerance = 2 * 2 * (dims + 2) * 2 ** -24;
    clustersOf(out, 'a').forEach((members, cluster) => {
      t.ok(
        members.every((item, i) => i === 0 || item > (members[i - 1] as number)),
        'items ascend in a cluster',
      );
      for (const item of members) {
        const distances = representatives.map((other) => squaredDistance(items[item] as Float64Array, other));
        const nearest = Math.min(...distances);
        if ((distances[cluster] as number) > nearest + tolerance) t.fail(`item ${item} is not in its nearest cluster`);
      }
    });
    t.strictSame(verifyIndex(out, true, () => {}).findings, []);
  });
}

t.test('nodes of a level are nodes of the level below, and each is linked to its nearest parent', async (t) => {
  const folder = temporaryFolder(t);
  const path = writeVectors(join(folder, 'a.npy'), 4, uniformValues(3, 4 * 1200));
  const { out, manifest } = await built(folder, { a: [path] }, { refine: 0, clusterSize: 2 });
  const levels = manifest.modalities[0]?.levels as number[];
  t.strictSame(levels, [600, 6]);
  const nodes = readWords(out, manifest, 'a.nodes');
  t.equal(new Set(nodes).size, 6);
  const { representatives } = decode(out, 'a');
  const tolerance = 2 * 2 * (4 + 2) * 2 ** -24;
  readWords(out, manifest, 'a.parents').forEach((parent, node) => {
    const distances = [...nodes].map((other) =>
      squaredDistance(representatives[node] as Float64Array, representatives[other] as Float64Array),
    );
    t.ok((distances[parent] as number) <= Math.min(...distances) + tolerance);
  });
});

t.test('a tree of no more groups than its beam is exact', async (t) => {
  const folder = temporaryFolder(t);
  const path = writeVectors(join(folder, 'a.npy'), 6, uniformValues(4, 6 * 20));
  // 10 clusters are put into 3 groups, and a beam of 4 visits all.
  const exact = await built(folder, { a: [path] }, { clusterSize: 2, refine: 0 });
  const before = clustersOf(exact.out, 'a');
  const tree = await built(folder, { a: [path] }, { clusterSize: 2, refine: 0, assign: 'tree' });
  t.strictSame(tree.manifest.modalities[0]?.levels, [10]);
  t.equal(tree.manifest.modalities[0]?.statistics.assign_agreement, 1);
  t.strictSame(clustersOf(tree.out, 'a'), before);
});

for (const assign of ['tree', 'hnsw'] as const) {
  t.test(
    `--assign ${assign} reports how often it agrees with exact, and on separated data that is often`,
    async (t) => {
      const folder = temporaryFolder(t);
      const path = writeVectors(join(folder, 'a.npy'), 16, groupedValues(5, 1000, 16, 250, 0.01));
      const sparse = writeVectors(join(folder, 'b.npy'), 24, groupedValues(6, 1000, 24, 250, 0.01));
      const { out, manifest } = await built(
        folder,
        { a: [path], b: [sparse, { codec: 'ratio', features: '6' }] },
        { clusterSize: 2, refine: 0, assign },
      );
      for (const { name, statistics, clusters } of manifest.modalities) {
        // All 1000 rows are in the sample of 1000, so the share is known by brute force, ties aside.
        const { items, representatives } = decode(out, name);
        let agree = 0;
        clustersOf(out, name).forEach((members, cluster) => {
          for (const item of members) {
            const distances = representatives.map((other) => squaredDistance(items[item] as Float64Array, other));
            if ((distances[cluster] as number) <= Math.min(...distances) + 4 * 26 * 2 ** -24) agree++;
          }
        });
        t.ok(agree / 1000 >= statistics.assign_agreement, `${name}: ${agree} agree of 1000`);
        t.ok(statistics.assign_agreement >= LEAST_AGREEMENT, `${name}: ${statistics.assign_agreement}`);
        t.ok(clusters > 400);
      }
      t.strictSame(verifyIndex(out, true, () => {}).findings, []);
    },
  );
}

t.test('hnsw finds the only representative there is', async (t) => {
  const path = writeVectors(join(temporaryFolder(t), 'a.npy'), 2, uniformValues(1, 2 * 5));
  const { reader } = await openReader(path, new Map());
  const encoder = sq8.encoder(reader, new Map());
  const records = new Uint8Array(2 * 5);
  for await (const chunk of reader.chunks(5)) encoder.measure(chunk, 1);
  for await (const chunk of reader.chunks(5)) encoder.encode(chunk, 1, records);
  const space = encoder.space();
  const rows = space.rows(records, 1);
  const nearest = new Uint32Array(5).fill(1);
  hnswAssigner(space, rows.take(Uint32Array.of(3)), 2 ** 40).assign(rows, nearest, new Float32Array(5));
  t.strictSame([...nearest], [0, 0, 0, 0, 0]);
});

t.test('every pass lowers the sum of squared distances to the cluster means', async (t) => {
  const folder = temporaryFolder(t);
  for (const [codec, dims, lowest] of [
    ['sq8', 8, -1],
    ['ratio', 16, 0],
  ] as const) {
    const path = writeVectors(join(folder, `${codec}.npy`), dims, uniformValues(7, 2000 * dims, lowest));
    const sums: number[] = [];
    for (const refine of [0, 1, 3, 6]) {
      const { out } = await built(folder, { a: [path, { codec }] }, { refine, clusterSize: 40 });
      const { items } = decode(out, 'a');
      sums.push(clustersOf(out, 'a').reduce((sum, members) => sum + squaredDistances(members, items), 0));
    }
    t.ok(
      sums.every((sum, i) => i === 0 || sum < (sums[i - 1] as number)),
      `${codec}: ${sums.map((sum) => sum.toFixed(1)).join(' > ')}`,
    );
  }
});

t.test('a refined cluster is represented by the mean of its items and has a spread', async (t) => {
  const folder = temporaryFolder(t);
  const path = writeVectors(join(folder, 'a.npy'), 8, uniformValues(8, 8 * 500, -1));
  const { out, manifest } = await built(folder, { a: [path, { normalize: 'false' }] }, { refine: 2, clusterSize: 25 });
  t.equal(manifest.modalities[0]?.spread, true);
  t.ok(manifest.sections.some(({ name }) => name === 'a.spread'));
  const { items, representatives } = decode(out, 'a');
  clustersOf(out, 'a').forEach((members, cluster) => {
    const mean = meanOf(members, items);
    // Means are coded like items: values span 2, so a step is below 2 / 255, half of which is the rounding.
    t.ok(mean.every((value, d) => Math.abs(value - (representatives[cluster]?.[d] as number)) <= 1.001 / 255));
  });
});

t.test('over-full clusters are split by the last pass', async (t) => {
  const folder = temporaryFolder(t);
  // Vectors of every length in every direction: the representatives nearest to zero draw most of the items.
  const directions = uniformValues(9, 32 * 2000, -1);
  const values = directions.map((value, i) => value * (Math.floor(i / 32) / 2000));
  const path = writeVectors(join(folder, 'a.npy'), 32, values);
  const sizes: { readonly clusters: number; readonly largest: number }[] = [];
  for (const refine of [0, 1]) {
    const { manifest } = await built(
      folder,
      { a: [path, { normalize: 'false' }] },
      { refine, clusterSize: 20, seed: 3 },
    );
    const [modality] = manifest.modalities;
    sizes.push({ clusters: modality?.clusters as number, largest: modality?.statistics.largest_cluster as number });
  }
  const [paper, refined] = sizes as [(typeof sizes)[0], (typeof sizes)[0]];
  t.equal(paper.clusters, 100);
  t.ok(paper.largest > 4 * 20, `${paper.largest} items`);
  t.ok(refined.clusters > paper.clusters, `${refined.clusters} clusters`);
  t.ok(refined.largest < paper.largest, `${refined.largest} items`);
});

t.test('clusters without items are dropped', async (t) => {
  const folder = temporaryFolder(t);
  // Five different vectors: of 100 representatives the lowest of each kind takes its items.
  const path = writeVectors(join(folder, 'a.npy'), 3, groupedValues(11, 1000, 3, 5, 0));
  for (const refine of [0, 2]) {
    const { out, manifest } = await built(folder, { a: [path] }, { refine });
    const [modality] = manifest.modalities;
    t.equal(modality?.clusters, 5);
    t.strictSame(modality?.levels, [5]);
    t.equal(modality?.statistics.empty_clusters, 0);
    t.strictSame(
      clustersOf(out, 'a').map(({ length }) => length),
      [200, 200, 200, 200, 200],
    );
    t.equal(readWords(out, manifest, 'a.nodes').length, 0);
  }
});

t.test('another seed is another index, the same seed the same', async (t) => {
  const folder = temporaryFolder(t);
  const path = writeVectors(join(folder, 'a.npy'), 4, uniformValues(12, 4 * 500));
  const generations: string[] = [];
  for (const seed of [1, 1, 2, 2 ** 53 - 1]) {
    const { manifest } = await built(folder, { a: [path] }, { seed });
    generations.push(manifest.generation);
  }
  t.equal(generations[0], generations[1]);
  t.equal(new Set(generations).size, 3);
});

t.test('the manifest says what the index was made of, without the folders it came from', async (t) => {
  const folder = temporaryFolder(t);
  const path = writeVectors(join(folder, 'a.npy'), 4, uniformValues(12, 4 * 50));
  const { out, manifest } = await built(folder, { a: [path, { normalize: 'true' }] });
  t.strictSame(readManifest(out), manifest);
  t.match(manifest.modalities[0]?.source, {
    files: [{ name: 'a.npy', bytes: 128 + 4 * 4 * 50, sha256: /^[0-9a-f]{64}$/ }],
    options: { normalize: 'true' },
  });
  t.notMatch(JSON.stringify(manifest), folder);
});

async function built(
  folder: string,
  inputs: Readonly<Record<string, Input>>,
  options: Parameters<typeof build>[2] = {},
): Promise<{ out: string; manifest: Manifest }> {
  const out = join(folder, 'index');
  return { out, manifest: await build(out, inputs, options) };
}

/** The items of every cluster, as stored. */
function clustersOf(directory: string, name: string): number[][] {
  const { manifest } = openIndex(directory);
  const starts = readWords(directory, manifest, `${name}.starts`);
  const items = readItemNumbers(directory, manifest, `${name}.items`);
  return Array.from({ length: starts.length - 1 }, (_, c) => [...items.subarray(starts[c], starts[c + 1])]);
}

function meanOf(members: readonly number[], items: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(items[0]?.length ?? 0);
  for (const item of members) {
    const vector = items[item] as Float64Array;
    for (let d = 0; d < mean.length; d++) mean[d] = (mean[d] as number) + (vector[d] as number) / members.length;
  }
  return mean;
}

function squaredDistances(members: readonly number[], items: readonly Float64Array[]): number {
  const mean = meanOf(members, items);
  return members.reduce((sum, item) => sum + squaredDistance(items[item] as Float64Array, mean), 0);
}
