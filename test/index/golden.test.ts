// The golden index: what an earlier build wrote is still written, byte for byte, and still read.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FORMAT_VERSION } from '../../src/index/format.ts';
import { openIndex } from '../../src/index/open.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { roundOver } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';
import {
  buildGoldenFolded,
  buildGoldenIndex,
  buildGoldenRabitq,
  GOLDEN_FOLDED,
  GOLDEN_INDEX,
  GOLDEN_RABITQ,
} from './golden-index.ts';

t.test('the golden index of this format version is there, whole and small', async (t) => {
  t.equal(FORMAT_VERSION, 2, 'a new version needs its own golden index beside this one');
  const { findings, bytes, sections } = verifyIndex(GOLDEN_INDEX, true, () => {});
  t.strictSame(findings, []);
  t.ok(bytes + 4096 * sections < 200_000, `${bytes} bytes in ${sections} sections`);
});

t.test('the golden index of rabitq codes is there, whole and small, with every form of their sections', async (t) => {
  const { findings, bytes, sections } = verifyIndex(GOLDEN_RABITQ, true, () => {});
  t.strictSame(findings, []);
  t.ok(bytes + 4096 * sections < 250_000, `${bytes} bytes in ${sections} sections`);
  const forms = openIndex(GOLDEN_RABITQ).manifest.modalities.map(({ rabitq }) => rabitq);
  t.strictSame(forms[0], { bits: 4, scan_bits: 4, full_dims: 24 });
  t.strictSame(forms[1], { bits: 8, scan_bits: 1, full_dims: 24 });
  t.ok((forms[2]?.full_dims ?? 24) < 24, 'some dimensions lack the lowest bit');
});

t.test('the golden index of folded codes is there, whole and small, and has its known answer', async (t) => {
  const { findings, bytes, sections } = verifyIndex(GOLDEN_FOLDED, true, () => {});
  t.strictSame(findings, []);
  t.ok(bytes + 4096 * sections < 100_000, `${bytes} bytes in ${sections} sections`);
  const [modality] = openIndex(GOLDEN_FOLDED).manifest.modalities;
  t.match(modality?.rabitq, { bits: 4, scan_bits: 4, full_dims: 66, largest_factor: Number });
  const { items } = roundOver(GOLDEN_FOLDED, [5, 65], [6, 7, 8, 9]);
  t.strictSame([...items].slice(0, 6).sort(), [125, 155, 185, 215, 35, 95]);
});

t.test('a known round over the golden index of rabitq codes has its known answer', async (t) => {
  // Items 5, 35, 65 … are one group; two of its eight are labelled.
  const { items, coverage } = roundOver(GOLDEN_RABITQ, [5, 65], [6, 7, 8, 9]);
  t.strictSame([...items].slice(0, 6).sort(), [125, 155, 185, 215, 35, 95]);
  t.equal(coverage.complete, true);
});

for (const threads of [1, 2, 3]) {
  t.test(`today's builder makes the same bytes with ${threads} threads, in another folder`, async (t) => {
    const folder = temporaryFolder(t);
    await buildGoldenIndex(folder, threads);
    await buildGoldenRabitq(folder, threads);
    await buildGoldenFolded(folder, threads);
    for (const [built, golden] of [
      [join(folder, 'index'), GOLDEN_INDEX],
      [join(folder, 'rabitq'), GOLDEN_RABITQ],
      [join(folder, 'folded'), GOLDEN_FOLDED],
    ] as const) {
      const names = readdirSync(golden).sort();
      t.strictSame(readdirSync(built).sort(), names);
      for (const name of names) {
        t.ok(readFileSync(join(built, name)).equals(readFileSync(join(golden, name))), name);
      }
    }
  });
}

t.test('keys, metadata and pictures of the golden index are read', async (t) => {
  const { items, keys, metadata, thumbnails, modalities } = openIndex(GOLDEN_INDEX);
  t.equal(items, 240);
  t.strictSame([...modalities.keys()], ['visual', 'words']);
  t.equal(keys?.keyOf(77), 'photo/77');
  t.equal(keys?.itemOf('photo/239'), 239);
  t.equal(keys?.itemOf('photo/240'), undefined);
  t.equal(keys?.itemOf(''), undefined);
  t.strictSame(JSON.parse(Buffer.from(metadata?.get(21) ?? []).toString()), { title: 'Photo 21', year: 2001 });
  t.match(Buffer.from(thumbnails?.get(3) ?? []).toString(), /^<svg /);
  t.equal(thumbnails?.get(5).length, 0);
  t.throws(() => metadata?.get(240), RangeError);
  t.throws(() => metadata?.get(-1), RangeError);
});

t.test('a known round over the golden index has its known answer', async (t) => {
  // Items 5, 35, 65 … are one visual group (30 of them), 5, 17, 29 … share words (12 groups): 65, 125 and 185 are in
  // both groups of the positives.
  const { items, coverage } = roundOver(GOLDEN_INDEX, [5, 65], [6, 7, 8, 9]);
  t.strictSame([...items].slice(0, 2).sort(), [125, 185]);
  t.equal(coverage.complete, true);
  t.strictSame([...items], [125, 185, 17, 205, 70, 195, 135, 137, 10, 75]);
});
