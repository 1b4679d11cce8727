// Where Lloyd passes over dense vectors begin: as many groups are found as there are, at any number of threads, and repeated
// rows are no seeds twice.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openReader } from '../../index-builder/readers/open-reader.ts';
import { drawByDistance, farApart, seedRows } from '../../index-builder/stages/seeds.ts';
import { sq8 } from '../../src/codecs/sq8.ts';
import { seededRandom } from '../../src/random.ts';
import { temporaryFolder } from '../support.ts';
import { groupedValues, writeVectors } from './collections.ts';

const DIMS = 32;
const GROUPS = 300;
const ROWS = 9000;

t.test('seeds lie in more groups than random rows do, and are the same at any number of threads', async (t) => {
  const { space, rows } = await groupedRows(t);
  const seeds = [1, 3].map((threads) => seedRows(space, rows, GROUPS, seededRandom(1, 'seeds'), threads));
  t.strictSame(seeds[0], seeds[1]);
  const [found] = seeds as [Uint32Array];
  t.equal(found.length, GROUPS);
  t.equal(new Set(found).size, GROUPS, 'no row twice');
  // Random rows hit 1 - (1 - 1/300)^300 = 63 % of the groups. A seed drawn by distance hits a new one almost surely (rows
  // of a group are ten thousand times nearer), unless another of the same draw does, or its coarse group is owed fewer.
  const hit = new Set(Array.from(found, (row) => row % GROUPS)).size;
  t.ok(hit > 0.8 * GROUPS, `${hit} of ${GROUPS} groups`);
});

t.test('rows that repeat are drawn once', async (t) => {
  const folder = temporaryFolder(t);
  const path = writeVectors(
    join(folder, 'a.npy'),
    4,
    new Float32Array(4 * 1000).map((_, i) => ((i >> 2) % 5) + (i % 4) ** 2),
  );
  const { space, rows } = await rowsOf(path, 1000);
  const all = Uint32Array.from({ length: rows.count }, (_, i) => i);
  const chosen = farApart(space, rows, all, 64, seededRandom(2, 'repeats'), 1);
  t.strictSame(Array.from(chosen, (row) => row % 5).sort(), [0, 1, 2, 3, 4]);
});

t.test('a draw by distance takes from each equal share of the sum, and nothing where all are 0', (t) => {
  t.strictSame(drawByDistance(new Float32Array(9), 3, seededRandom(1, 'draw')), new Uint32Array(0));
  const distances = Float32Array.of(0, 1, 0, 1, 0, 1, 0, 1);
  t.strictSame(drawByDistance(distances, 4, seededRandom(1, 'draw')), Uint32Array.of(1, 3, 5, 7));
  t.strictSame(
    drawByDistance(Float32Array.of(0, 0, 8, 0), 3, seededRandom(1, 'draw')),
    Uint32Array.of(2),
    'no place twice',
  );
  t.end();
});

async function groupedRows(t: Test) {
  const path = writeVectors(join(temporaryFolder(t), 'a.npy'), DIMS, groupedValues(5, ROWS, DIMS, GROUPS, 0.01));
  return await rowsOf(path, ROWS);
}

async function rowsOf(path: string, count: number) {
  const { reader } = await openReader(path, new Map());
  const encoder = sq8.encoder(reader, new Map());
  const records = new Uint8Array(count * reader.dims);
  for await (const chunk of reader.chunks(count)) encoder.measure(chunk, 1);
  for await (const chunk of reader.chunks(count)) encoder.encode(chunk, 1, records);
  reader.close();
  const space = encoder.space();
  return { space, rows: space.rows(records, 1) };
}
