// The quickstart collection: what it describes, how, and that it is the same every time.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { decodePicture, type Picture } from '../index-builder/quickstart/picture.ts';
import { ATTRIBUTION, firstRoundCommands, prepareQuickstart } from '../index-builder/quickstart/prepare.ts';
import { centreToUnitLength, describePicture, VISUAL_DIMS } from '../index-builder/quickstart/visual.ts';
import { wordFeatures } from '../index-builder/quickstart/words.ts';
import { openReader } from '../index-builder/readers/open-reader.ts';
import type { SparseChunk } from '../index-builder/readers/reader.ts';

t.test('the quickstart collection is whole, the same every time, and its neighbours make sense', async (t) => {
  const folder = join(t.testdir(), 'collection');
  const progress: number[] = [];
  const files = prepareQuickstart(folder, (done, total) => progress.push(done / total));
  t.ok(files.items > 1800);
  t.equal(progress.at(-1), 1);

  const keys = linesOf(files.ids);
  t.equal(keys.length, files.items);
  t.equal(new Set(keys).size, files.items, 'keys are distinct');

  const metadata = linesOf(files.metadata).map((line) => JSON.parse(line));
  t.equal(metadata.length, files.items);
  t.match(metadata[keys.indexOf('cat')], {
    name: 'cat face',
    group: 'Animals & Nature',
    subgroup: 'animal-mammal',
    characters: '🐱',
    file: '1f431.png',
    added_in: 0.6,
  });
  t.notOk(
    metadata.some(({ group }) => group === 'Component'),
    'skin tones are left out',
  );

  const thumbnails = linesOf(files.thumbnails);
  t.equal(thumbnails.length, files.items);
  const picture = decodePicture(readFileSync(join(folder, thumbnails[keys.indexOf('cat')] as string)));
  t.strictSame([picture.width, picture.height, picture.rgba.length], [64, 64, 64 * 64 * 4]);

  const vectors = await Promise.all(files.modalities.map(({ path, options }) => denseRows(path, options)));
  const [visual, text] = vectors as [Float64Array[], Float64Array[]];
  t.equal(visual[0]?.length, VISUAL_DIMS);
  t.equal(text[0]?.length, linesOf(files.vocabulary).length);
  for (const rows of [visual, text]) {
    t.equal(rows.length, files.items);
    t.ok(rows.every((row) => Math.abs(cosine(row, row) - 1) < 1e-5, 'every item has a vector of unit length'));
  }
  t.match(nearest(visual, keys, 'clock3', 5), Array(5).fill(/^clock/));
  t.match(nearest(visual, keys, 'heart', 3), Array(3).fill(/heart/));
  t.match(nearest(text, keys, 'cat', 9), Array(9).fill(/cat/));
  t.ok(nearest(text, keys, 'strawberry', 9).every((key) => metadata[keys.indexOf(key)].subgroup === 'food-fruit'));

  const written = [files.metadata, files.ids, files.thumbnails, ...files.modalities.map(({ path }) => path)];
  const before = written.map((path) => readFileSync(path));
  prepareQuickstart(folder);
  t.strictSame(
    written.map((path) => readFileSync(path)),
    before,
    'the same bytes again',
  );

  for (const command of firstRoundCommands('127.0.0.1', 8080, 'emoji')) {
    t.match(command, /^curl -s http:\/\/127\.0\.0\.1:8080\/v1\/collections\/emoji\//);
    const body = /-d '(.*)'/.exec(command)?.[1];
    if (body === undefined) continue;
    const { labels } = JSON.parse(body);
    for (const key of [...labels.positive, ...labels.negative]) t.ok(keys.includes(key), key);
  }
  t.match(firstRoundCommands('::1', 80, 'emoji')[0], 'http://[::1]:80/');
  t.match(ATTRIBUTION, 'CC BY 4.0');
});

t.test('words are weighted by tf-idf, strongest first, unit length', async (t) => {
  const { vocabulary, ids, scores, perRow } = wordFeatures(['Red red car', 'red-house', 'the car, unique', '', 'x']);
  t.strictSame(vocabulary, ['car', 'red'], 'most frequent first, then by name; no stop words, no single occurrences');
  const length = Math.hypot(2, 1);
  const near = (value: number | undefined, expected: number) => t.ok(Math.abs((value ?? 0) - expected) < 1e-6);
  t.strictSame([...ids.subarray(0, 2)], [1, 0]);
  near(scores[0], 2 / length);
  near(scores[1], 1 / length);
  t.strictSame([ids[perRow], scores[perRow]], [1, 1]);
  t.ok(
    scores.subarray(3 * perRow).every((score) => score === 0),
    'a text without known words is a zero vector',
  );
});

t.test('a text keeps its strongest words and a vocabulary its most frequent', async (t) => {
  const many = Array.from({ length: 1100 }, (_, at) => `word${at}`);
  const features = wordFeatures([many.join(' '), many.join(' '), 'word7 word7', 'word1099 word1099']);
  t.equal(features.vocabulary.length, 1024);
  t.strictSame(features.vocabulary.slice(0, 2), ['word1099', 'word7']);
  t.strictSame([...features.ids.subarray(0, 4)], [2, 3, 4, 5], 'ties go to the lower id');
  t.ok(features.scores.subarray(0, features.perRow).every((score) => score > 0));
});

t.test('pictures alike in colour and shape are close, nothing at all is a zero vector', async (t) => {
  const [red, orange, blue, bar] = [
    describe(square(255, 0, 0)),
    describe(square(255, 60, 0)),
    describe(square(0, 0, 255)),
    describe(square(255, 0, 0, 6)),
  ] as const;
  t.ok(cosine(red, orange) > cosine(red, blue), 'colour counts');
  t.ok(cosine(red, orange) > cosine(red, bar), 'shape counts');
  t.ok(describe(square(255, 0, 0, 0)).every((value) => value === 0));
  t.ok(describe(square(128, 128, 128)).every(Number.isFinite));
  t.ok(Math.abs(cosine(red, red) - (1 + 0.8 ** 2 + 1)) < 1e-5, 'three blocks of their own weight');
});

t.test('centring takes what all rows share and leaves rows of unit length', async (t) => {
  const rows = Float32Array.of(3, 1, 1, 1, 2, 1);
  centreToUnitLength(rows, 2);
  t.strictSame([...rows], [1, 0, -1, 0, 0, 0]);
});

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

async function denseRows(path: string, options: ReadonlyMap<string, string>): Promise<Float64Array[]> {
  const { reader } = await openReader(path, options);
  const all: Float64Array[] = [];
  for await (const chunk of reader.chunks(256)) {
    for (let row = 0; row < chunk.rows; row++) {
      const vector = new Float64Array(reader.dims);
      for (let at = 0; at < reader.perRow; at++) {
        const from = row * reader.perRow + at;
        const id = chunk.kind === 'dense' ? at : ((chunk as SparseChunk).ids[from] as number);
        vector[id] = (vector[id] as number) + (chunk.values[from] as number);
      }
      all.push(vector);
    }
  }
  reader.close();
  return all;
}

function nearest(vectors: readonly Float64Array[], keys: readonly string[], key: string, count: number): string[] {
  const item = keys.indexOf(key);
  const query = vectors[item] as Float64Array;
  return vectors
    .map((vector, other) => ({ other, score: cosine(vector, query) }))
    .filter(({ other }) => other !== item)
    .sort((a, b) => b.score - a.score || a.other - b.other)
    .slice(0, count)
    .map(({ other }) => keys[other] as string);
}

/** For vectors of unit length. */
function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

function describe(picture: Picture): Float32Array {
  const out = new Float32Array(VISUAL_DIMS);
  describePicture(picture, out);
  return out;
}

/** 16 x 16 pixels, transparent but for a block of 8 columns and some rows from the fourth on. */
function square(red: number, green: number, blue: number, rows = 8): Picture {
  const rgba = new Uint8Array(16 * 16 * 4);
  for (let y = 4; y < 4 + rows; y++) for (let x = 4; x < 12; x++) rgba.set([red, green, blue, 255], (y * 16 + x) * 4);
  return { width: 16, height: 16, rgba };
}
