// Clusters in groups: what the builder writes of them, and that rounds lose next to nothing by them.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Progress } from '../../index-builder/stages/stage.ts';
import { codecNamed } from '../../src/codecs/registry.ts';
import { headOf } from '../../src/head.ts';
import type { Manifest } from '../../src/index/format.ts';
import { inspectIndex } from '../../src/index/inspect.ts';
import { openIndex } from '../../src/index/open.ts';
import { mapSection, readWords } from '../../src/index/sections.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { temporaryFolder } from '../support.ts';
import { build, decode, groupedValues, squaredDistance, writeVectors } from './collections.ts';

const ITEMS = 12_000;
const DIMS = 12;
/** About a tenth of the clusters. */
const GROUPS = 100;
const RATIO = { codec: 'ratio', features: '4', representative_features: `${DIMS}`, normalize: 'false' };
const SQ8 = { codec: 'sq8', normalize: 'false' };

for (const keys of [RATIO, SQ8]) {
  t.test(`${keys.codec}: groups hold clusters that are near, and their mean is stored`, async (t) => {
    const { out, manifest } = await built(t, keys, GROUPS);
    const { clusters, groups = 0 } = manifest.modalities[0] as Manifest['modalities'][number];
    t.ok(groups >= GROUPS / 2 && groups <= clusters / 2, `${groups} groups of ${clusters} clusters`);
    t.strictSame(verifyIndex(out, true, () => {}).findings, []);
    t.equal(inspectIndex(out).modalities[0]?.groups, groups);

    const { representatives } = decode(out, 'a');
    const starts = readWords(out, manifest, 'a.group-starts');
    const means = meansOf(out, manifest);
    const whole = meanOf(representatives);
    let error = 0;
    let within = 0;
    let overall = 0;
    for (let g = 0; g < groups; g++) {
      const members = representatives.slice(starts[g], starts[g + 1]);
      const mean = meanOf(members);
      mean.forEach((value, d) => {
        error = Math.max(error, Math.abs(value - ((means[g] as Float64Array)[d] as number)));
      });
      for (const member of members) {
        within += squaredDistance(member, mean);
        overall += squaredDistance(member, whole);
      }
    }
    // Half a step: 1/4080 of the largest value, which is below 1.1, and 1/255 of the range; and the rounding of floats.
    t.ok(error <= (0.5 * 1.1) / (keys === RATIO ? 4080 : 255) + 2 ** -20, `${error}`);
    // Of groups at random it would be nearly all of it: a group holds some eight clusters.
    t.ok(within < overall / 2, `${within} of ${overall}`);
  });

  t.test(
    `${keys.codec}: few clusters chosen through groups are those chosen among all, hardly any other`,
    async (t) => {
      const [grouped, flat] = [await built(t, keys, GROUPS), await built(t, keys, 0)];
      t.equal(flat.manifest.modalities[0]?.groups, undefined);
      t.notOk(flat.manifest.sections.some(({ name }) => name.includes('group')));
      t.not(grouped.manifest.generation, flat.manifest.generation);
      const random = seededRandom(3, 'weights');
      let same = 0;
      let all = 0;
      for (let query = 0; query < 40; query++) {
        const weights = Float32Array.from({ length: DIMS }, () => random.below(1000) / 500 - 1);
        const [throughGroups, amongAll] = [itemsOfBest(grouped.out, weights), itemsOfBest(flat.out, weights)];
        const found = new Set(throughGroups);
        same += amongAll.filter((item) => found.has(item)).length;
        all += amongAll.length;
      }
      t.ok(same >= 0.95 * all, `${same} of ${all}`);
    },
  );
}

t.test('progress tells of every pass that makes groups, once all rows are assigned', async (t) => {
  for (const keys of [RATIO, SQ8]) {
    const stages: string[] = [];
    const passes: number[] = [];
    let total = 0;
    await built(t, keys, GROUPS, (progress) => {
      if (stages.at(-1) !== progress.stage) stages.push(progress.stage);
      if (progress.stage !== 'groups') return;
      t.equal(progress.unit, 'passes');
      passes.push(progress.done);
      total = progress.total;
    });
    t.equal(stages[stages.indexOf('groups') - 1], 'assign');
    t.equal(stages[stages.indexOf('groups') + 1], 'write');
    t.ok(total > 1);
    t.strictSame(passes, [...Array(total + 1).keys()]);
  }
});

t.test('a small collection has no groups unless they are asked for', async (t) => {
  const { manifest } = await built(t, RATIO, undefined);
  t.equal(manifest.modalities[0]?.groups, undefined);
  t.equal(inspectIndex((await built(t, RATIO, undefined)).out).modalities[0]?.groups, null);
});

t.test('more groups than clusters are as many as there are different clusters at most', async (t) => {
  const { out, manifest } = await built(t, SQ8, 65536);
  const { clusters, groups = 0 } = manifest.modalities[0] as Manifest['modalities'][number];
  t.ok(groups > clusters / 2 && groups <= clusters);
  t.strictSame(verifyIndex(out, true, () => {}).findings, []);
});

async function built(
  t: Test,
  keys: Readonly<Record<string, string>>,
  groups: number | undefined,
  onProgress: (progress: Progress) => void = () => {},
) {
  const folder = temporaryFolder(t);
  const path = writeVectors(join(folder, 'a.npy'), DIMS, groupedValues(1, ITEMS, DIMS, 300, 0.1));
  const out = join(folder, 'index');
  return { out, manifest: await build(out, { a: [path, keys] }, groups === undefined ? {} : { groups }, onProgress) };
}

/** Items of the eight best clusters by a plane. */
function itemsOfBest(out: string, weights: Float32Array): number[] {
  const collection = openIndex(out);
  const modality = collection.modalities.get('a');
  if (modality === undefined) throw new RangeError('no modality a');
  const head = headOf(modality, { weights, bias: 0 });
  const clusters = new Uint32Array(8);
  native.selectClusters(head.prepared, ITEMS, clusters);
  const items = new Uint32Array(ITEMS);
  const counts = new Uint32Array(1);
  native.scanClusters(
    head.prepared,
    clusters,
    ITEMS,
    new Uint32Array(0),
    1,
    Number.POSITIVE_INFINITY,
    items,
    new Float64Array(ITEMS),
    counts,
  );
  return [...items.subarray(0, counts[0])];
}

function meanOf(vectors: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(DIMS);
  for (const vector of vectors) {
    for (let d = 0; d < DIMS; d++) mean[d] = (mean[d] as number) + (vector[d] as number) / vectors.length;
  }
  return mean;
}

/** The stored means of the groups. */
function meansOf(out: string, manifest: Manifest): Float64Array[] {
  const modality = manifest.modalities[0] as Manifest['modalities'][number];
  const { groups: codes } = codecNamed(modality.codec).open(modality, manifest.items, (suffix) => {
    const section = manifest.sections.find(({ name }) => name === `a.${suffix}`);
    if (section === undefined) throw new RangeError(`no section a.${suffix}`);
    return mapSection(out, section);
  });
  if (codes === null) throw new RangeError('no groups');
  const features = modality.ratio?.groups?.features;
  return Array.from({ length: modality.groups ?? 0 }, (_, g) => {
    const values = new Float32Array(features ?? DIMS);
    const ids = new Uint32Array(features ?? 0);
    native.decodeSlots(codes, Uint32Array.of(g), ids, values);
    const vector = new Float64Array(DIMS);
    values.forEach((value, j) => {
      if (value !== 0) vector[features === undefined ? j : (ids[j] as number)] = value;
    });
    return vector;
  });
}
