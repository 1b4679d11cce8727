// The golden index: what an earlier build wrote is still written, byte for byte, and still read.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FORMAT_VERSION } from '../../src/index/format.ts';
import { openIndex } from '../../src/index/open.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { roundOver } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';
import { buildGoldenIndex, GOLDEN_INDEX } from './golden-index.ts';

t.test('the golden index of this format version is there, whole and small', async (t) => {
  t.equal(FORMAT_VERSION, 2, 'a new version needs its own golden index beside this one');
  const { findings, bytes, sections } = verifyIndex(GOLDEN_INDEX, true, () => {});
  t.strictSame(findings, []);
  t.ok(bytes + 4096 * sections < 200_000, `${bytes} bytes in ${sections} sections`);
});

for (const threads of [1, 2, 3]) {
  t.test(`today's builder makes the same bytes with ${threads} threads, in another folder`, async (t) => {
    const folder = temporaryFolder(t);
    buildGoldenIndex(folder, threads);
    const names = readdirSync(GOLDEN_INDEX).sort();
    t.strictSame(readdirSync(join(folder, 'index')).sort(), names);
    for (const name of names) {
      t.ok(readFileSync(join(folder, 'index', name)).equals(readFileSync(join(GOLDEN_INDEX, name))), name);
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
