// The rabitq codec: what comes back is what its stated error allows, a budget of bytes is kept and used, and an eighth of
// float32 finds what float32 finds.

import t from 'tap';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import type { DenseChunk } from '../../index-builder/readers/reader.ts';
import type { Collection } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import {
  caltech97,
  clustered,
  collectionOf,
  decode,
  denseFile,
  everyItem,
  modalityOf,
  modelOf,
  randomLabels,
  requestOf,
  sparseFiles,
  sparseRows,
  testOn,
} from '../data.ts';
import { temporaryFolder } from '../support.ts';

t.test('values come back within the stated error, smaller with more bits, from 1 to 4096 dimensions', async (t) => {
  for (const dims of [1, 2, 3, 31, 33, 128, 4095, 4096]) {
    const values = clustered(60, dims, 4, dims);
    const path = denseFile(temporaryFolder(t), 'visual', values, dims);
    const errors: number[] = [];
    for (const bits of ['1', '2', '4', '8']) {
      const options = { codec: 'rabitq', bits, normalize: 'false' };
      const collection = await collectionOf(t, { v: { path, options } }, { clusterSize: 10 });
      const stated = modalityOf(collection, 'v').manifest.statistics.max_value_error;
      const decoded = decode(modalityOf(collection, 'v'), everyItem(collection)).values;
      const largest = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (decoded[i] as number))), 0);
      // Adding the representative rounds once more: 2^-24 of values that are below 8 here.
      t.ok(largest <= stated + 2 ** -20, `${dims} dims, ${bits} bits: ${largest} of ${stated}`);
      errors.push(largest);
    }
    // Of one dimension the factor alone holds the value.
    if (dims > 3) t.ok((errors[3] as number) < (errors[0] as number), `${dims} dims: ${errors.join(' ')}`);
  }
});

t.test('equal vectors, zero vectors and one item are kept', async (t) => {
  const dims = 5;
  const row = [0.5, -0.5, 0.5, 0.5, 0];
  const options = { codec: 'rabitq', bits: '8' };
  const of = async (values: number[]): Promise<Collection> =>
    await collectionOf(t, {
      v: { path: denseFile(temporaryFolder(t), 'v', Float32Array.from(values), dims), options },
    });
  for (const values of [row, [...row, ...row, ...row], [...row, 0, 0, 0, 0, 0]]) {
    const collection = await of(values);
    const decoded = decode(modalityOf(collection, 'v'), everyItem(collection)).values;
    const stated = modalityOf(collection, 'v').manifest.statistics.max_value_error;
    decoded.forEach((value, i) => {
      t.ok(Math.abs(value - (values[i] as number)) <= stated + 2 ** -20);
    });
  }
});

testOn(t, caltech97, 'an eighth of float32 finds 95 of the 100 best of float32', async (t, { visual }) => {
  if (visual === undefined) throw new RangeError('caltech97 has no modality visual');
  const { reader } = await openReader(visual.path, new Map());
  const { rows, dims } = reader;
  const values = new Float32Array(rows * dims);
  for await (const chunk of reader.chunks(1000)) values.set((chunk as DenseChunk).values, chunk.firstRow * dims);
  reader.close();
  const budget = dims / 2;
  const keys = { codec: 'rabitq', bytes_per_item: `${budget}` };
  const collection = await collectionOf(t, { visual }, {}, keys);
  const codes = collection.manifest.sections.filter(({ name }) => name.startsWith('visual.codes'));
  // The last block is padded to 16 items.
  t.ok(codes.reduce((sum, { bytes }) => sum + bytes, 0) <= budget * (rows + 16));
  const random = seededRandom(9, 'labels');
  let hits = 0;
  for (let q = 0; q < 20; q++) {
    const labels = randomLabels(random, rows, 10, 100);
    const request = requestOf(collection, { ...labels, k: 100, exhaustive: true });
    const { weights } = modelOf(modalityOf(collection, 'visual'), request);
    const labelled = new Set([...request.positive, ...request.negative]);
    const scores = Float64Array.from({ length: rows }, (_, item) => {
      let product = 0;
      let square = 0;
      for (let d = 0; d < dims; d++) {
        const value = values[item * dims + d] as number;
        product += value * (weights[d] as number);
        square += value * value;
      }
      return labelled.has(item) ? Number.NEGATIVE_INFINITY : product / Math.sqrt(square);
    });
    const order = Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number));
    const best = new Set(order.slice(0, 100));
    hits += round(collection, request).items.filter((item) => best.has(item)).length;
  }
  t.ok(hits / 2000 >= 0.95, `recall@100 ${hits / 2000}`);
});

t.test('answers do not depend on the number of threads that search', async (t) => {
  const path = denseFile(temporaryFolder(t), 'visual', clustered(3000, 40, 20, 3), 40);
  for (const options of [{ bits: '1' }, { bits: '4' }, { bits: '5', scan_bits: '1' }]) {
    const collection = await collectionOf(
      t,
      { v: { path, options: { codec: 'rabitq', ...options } } },
      { clusterSize: 30 },
    );
    const labels = randomLabels(seededRandom(4, 'labels'), collection.items, 10, 40);
    for (const exhaustive of [true, false]) {
      const request = requestOf(collection, { ...labels, k: 60, clusters: 40, segments: 3, exhaustive });
      const answers = [1, 2, 3].map((workers) => [...round(collection, { ...request, workers }).items]);
      t.equal(answers[0]?.length, 60);
      t.strictSame(answers[1], answers[0]);
      t.strictSame(answers[2], answers[0]);
    }
  }
});

t.test('all samplers, diversity and another modality work over rabitq codes', async (t) => {
  const folder = temporaryFolder(t);
  const collection = await collectionOf(
    t,
    {
      visual: { path: denseFile(folder, 'visual', clustered(2000, 48, 12, 5), 48), options: { bytes_per_item: '20' } },
      text: sparseFiles(folder, 'text', sparseRows(2000, 300, 6, 12), 6),
    },
    { clusterSize: 20 },
  );
  t.equal(collection.manifest.modalities[0]?.codec, 'rabitq');
  const labels = randomLabels(seededRandom(5, 'labels'), collection.items, 8, 30);
  const mix = { farthest: 5, spread: 5, random: 5, grid: 5 };
  const request = requestOf(collection, { ...labels, k: 20, mix, diversity: 0.95 });
  const { items, coverage } = round(collection, request);
  t.equal(new Set(items).size, 20);
  t.equal(coverage.complete, true);
  t.strictSame([...round(collection, request).items], [...items]);
});

t.test('exact scores are the products of decoded vectors', async (t) => {
  const dims = 70;
  const path = denseFile(temporaryFolder(t), 'visual', clustered(500, dims, 20, 8), dims);
  for (const options of [
    { bits: '2' },
    { bits: '7', scan_bits: '4' },
    { bytes_per_item: '31' },
    { bytes_per_item: '36' },
  ]) {
    const collection = await collectionOf(
      t,
      { v: { path, options: { codec: 'rabitq', ...options } } },
      { clusterSize: 30 },
    );
    const modality = modalityOf(collection, 'v');
    const random = seededRandom(6, 'weights');
    const weights = Float32Array.from({ length: dims }, () => random.below(2001) / 1000 - 1);
    const items = everyItem(collection);
    const scores = new Float64Array(items.length);
    native.scoreItems(native.linearHead(modality.cells, weights, 0.25), items, scores);
    const { values } = decode(modality, items);
    let largest = 0;
    scores.forEach((score, i) => {
      let expected = 0.25;
      for (let d = 0; d < dims; d++) expected += (weights[d] as number) * (values[i * dims + d] as number);
      largest = Math.max(largest, Math.abs(score - expected));
    });
    // Decoded values of unit vectors went through some forty roundings of at most 2^-24 each.
    t.ok(largest <= dims * 40 * 2 ** -24, `${largest}`);
  }
});

t.test('a budget of bytes is kept and used, and chooses the codec', async (t) => {
  const dims = 64;
  const path = denseFile(temporaryFolder(t), 'visual', clustered(320, dims, 8, 2), dims);
  const bytesOf = (collection: Collection): number =>
    collection.manifest.sections
      .filter(({ name }) => name.startsWith('v.codes'))
      .reduce((sum, { bytes }) => sum + bytes, 0) / collection.items;
  for (let budget = 11; budget <= 66; budget++) {
    const collection = await collectionOf(t, { v: { path, options: { bytes_per_item: `${budget}` } } });
    const bytes = bytesOf(collection);
    t.equal(modalityOf(collection, 'v').manifest.codec, budget < dims ? 'rabitq' : 'sq8');
    t.ok(bytes <= budget, `${bytes} of ${budget}`);
    // What is left is less than what a further bit needs: the factor of the refined codes and a byte; after codes of 4 bits
    // with their factors within, half a byte and two factors more.
    t.ok(bytes > budget - (bytes === dims / 2 ? 5.5 : 4), `${bytes} of ${budget}`);
  }
});

t.test('what makes no sense is refused by name', async (t) => {
  const folder = temporaryFolder(t);
  const path = denseFile(folder, 'visual', clustered(20, 64, 2, 2), 64);
  const refused = async (options: Record<string, string>, message: RegExp): Promise<void> => {
    await t.rejects(() => collectionOf(t, { v: { path, options } }), { name: /^(Codec|Option)Error$/, message });
  };
  await refused({ codec: 'rabitq', bits: '13' }, /bits=13: expected a number from 1 to 12/);
  await refused({ codec: 'rabitq', bits: '2.5' }, /bits=2.5: expected a whole number/);
  await refused({ codec: 'rabitq', scan_bits: '3' }, /scan_bits=3: expected 1, 2 or 4/);
  await refused({ codec: 'rabitq', bits: '2', scan_bits: '4' }, /scan_bits=4: a code has 2 bits/);
  await refused({ codec: 'rabitq', bits: '2', bytes_per_item: '40' }, /bits=2: bytes_per_item is given too/);
  await refused({ bytes_per_item: '9' }, /bytes_per_item=9: codec=rabitq takes at least 11 for 64 dimensions/);
  await refused({ codec: 'sq8', bytes_per_item: '60' }, /codec=sq8 takes 64 for 64 dimensions; .* use codec=rabitq/);
  await refused({ codec: 'pq' }, /codec=pq: unknown codec; known are ratio, sq8, rabitq/);
  const sparse = sparseFiles(folder, 's', { ids: Uint32Array.of(0, 1), values: Float32Array.of(1, 1) }, 1);
  await t.rejects(() => collectionOf(t, { v: { ...sparse, options: { ...sparse.options, codec: 'rabitq' } } }), {
    message: /codec=rabitq: the input is sparse; use codec=ratio/,
  });
});
