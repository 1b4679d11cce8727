// The cells of the grid that large collections are built with: what they are, what they change of rounds, and that a
// damaged section is found.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { exactCells, GRID_DEFAULTS } from '../../src/grid-cells.ts';
import { inspectIndex } from '../../src/index/inspect.ts';
import { openIndex } from '../../src/index/open.ts';
import { readNumbers } from '../../src/index/sections.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { native } from '../../src/native.ts';
import { round } from '../../src/round.ts';
import { spacesOf, spacesOfAll } from '../../src/spaces.ts';
import { requestOf, twoModalities } from '../data.ts';
import { resealSection } from '../index/reseal.ts';

const ITEMS = 3001;
const CELLS = GRID_DEFAULTS.segments ** GRID_DEFAULTS.components;
const SCAN = { workers: 1, deadlineMs: Number.POSITIVE_INFINITY };
const collection = await twoModalities(t, ITEMS, { grid: true });
const { directory, manifest } = collection;
const cells = readNumbers(directory, manifest, 'grid.cells', CELLS);

t.test('the section holds the cells that a round over all items finds', async (t) => {
  t.strictSame(manifest.grid, GRID_DEFAULTS);
  t.strictSame(inspectIndex(directory).grid, GRID_DEFAULTS);
  const { components, segments } = GRID_DEFAULTS;
  t.strictSame(cells, exactCells(spacesOfAll(collection), components, segments, SCAN));
  t.equal(new Set(cells).size > CELLS / 3, true, 'they spread');
});

t.test('cells do not depend on the number of threads, and do not change what a round answers', async (t) => {
  const labels = { positive: Uint32Array.of(9, 77), negative: Uint32Array.of(1, 2, 3) };
  const mix = { farthest: 0, spread: 0, random: 0, grid: 25 };
  const without = await twoModalities(t, ITEMS, { grid: false });
  t.equal(without.grid, null);
  t.notOk(existsSync(join(without.directory, 'grid.cells.0')));
  for (const threads of [2, 3]) {
    const again = await twoModalities(t, ITEMS, { grid: true, threads });
    t.equal(again.generation, collection.generation);
    t.strictSame(readNumbers(again.directory, again.manifest, 'grid.cells', CELLS), cells);
  }
  const expected = round(without, requestOf(without, { ...labels, mix }));
  t.strictSame(round(collection, requestOf(collection, { ...labels, mix })), expected);
});

t.test('the stored grid is of all modalities with equal weights, and of no others', async (t) => {
  const of = (...modalities: [string, number][]) =>
    spacesOf(
      collection,
      modalities.map(([name, weight]) => ({ name, weight })),
    ).grid;
  t.ok(of(['visual', 3], ['text', 3]));
  t.equal(of(['visual', 3], ['text', 2]), null);
  t.equal(of(['visual', 1]), null);
});

t.test('without being asked a build writes cells for large collections only', async (t) => {
  t.equal((await twoModalities(t, 500)).grid, null);
});

t.test('verify --deep finds cells that are none', async (t) => {
  const cases: [(numbers: Uint32Array) => void, RegExp][] = [
    [(numbers) => numbers.fill(CELLS, 4, 5), /item 4 in cell 1000 of 1000/],
    [(numbers) => numbers.fill(0), /segment 0 of a component holds 3001 items, expected 301/],
  ];
  for (const [change, detail] of cases) {
    const damaged = await twoModalities(t, ITEMS, { grid: true });
    t.strictSame(verifyIndex(damaged.directory, true, () => {}).findings, []);
    const changed = cells.slice();
    change(changed);
    const bytes = new Uint8Array(native.packedBytes(ITEMS, CELLS));
    native.packNumbers(changed, CELLS, bytes);
    resealSection(damaged.directory, 'grid.cells', bytes);
    const { findings } = verifyIndex(damaged.directory, true, () => {});
    t.equal(findings.length, 1);
    t.equal(findings[0]?.section, 'grid.cells');
    t.match(findings[0]?.detail, detail);
    t.strictSame(openIndex(damaged.directory).grid?.cells, CELLS);
  }
});
