// The parts of the scale bench: labels of actors, bytes per item, and how exact a search is found to be.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { exactness } from '../../bench/scale/exactness.ts';
import { labelSetsFor } from '../../bench/scale/labels.ts';
import { bytesPerItem } from '../../bench/scale/memory.ts';
import { inspectIndex } from '../../src/index/inspect.ts';
import { twoModalities } from '../data.ts';
import { temporaryFolder } from '../support.ts';

t.test('positives are those of one actor, put together from its starts; negatives are others', async (t) => {
  const file = join(temporaryFolder(t), 'actors.json');
  const starts = (base: number): unknown =>
    [0, 10, 20].map((from) => ({ positive: [1, 2, 3].map((i) => base + from + i) }));
  writeFileSync(
    file,
    JSON.stringify({
      actors: [
        { name: 'a', starts: starts(0) },
        { name: 'b', starts: starts(100) },
      ],
    }),
  );
  const sets = labelSetsFor(200, file, 4, 5, 40, 1);
  t.strictSame(
    sets.map(({ positive }) => [...positive]),
    [
      [1, 2, 3, 11, 12],
      [101, 102, 103, 111, 112],
      [11, 12, 13, 21, 22],
      [111, 112, 113, 121, 122],
    ],
  );
  for (const { positive, negative } of sets) {
    t.equal(new Set(negative).size, 40);
    t.notOk(negative.some((item) => positive.includes(item) || item >= 200));
  }
  t.equal(labelSetsFor(200, file, 1, 5, 195, 1)[0]?.negative.length, 195, 'all there are');
  t.throws(() => labelSetsFor(200, file, 1, 5, 196, 1), {
    name: 'RangeError',
    message: /196 distinct items of the 195/,
  });
  writeFileSync(file, '{}');
  t.throws(() => labelSetsFor(200, file, 1, 1, 1, 1), { message: /actors.json: no actors; expected what/ });
});

t.test('sections of all kinds add up to what inspect reports', async (t) => {
  const collection = await twoModalities(t, 300);
  const { total, families } = bytesPerItem(collection.manifest);
  const report = inspectIndex(collection.directory);
  t.ok(Math.abs(total - report.bytes_per_item) < 1e-9);
  const codes = report.sections.filter(({ name }) => name === 'visual.codes' || name === 'text.codes');
  t.equal(
    families['codes'],
    codes.reduce((sum, { bytes }) => sum + bytes / 300, 0),
  );
});

t.test('a search of every item is exact, and the 8-bit scan alone nearly so', async (t) => {
  // More items than the top 4000, so that being among them says something, and than one block of the stream.
  const collection = await twoModalities(t, 70_000, { refine: 0, clusterSize: 500 });
  for (const modality of collection.modalities.values()) {
    const found = exactness(collection, modality, labelSetsFor(70_000, null, 2, 10, 40, 3));
    t.equal(found.hyperplanes, 2);
    t.equal(found.identical, 2);
    t.equal(found.refined, 1);
    // Codes with more than 8 bits lose items at the margin of the selection; sq8 codes have no more than 8.
    t.ok(found.selected > 0.9 && found.selected <= found.selectedWider, `${found.selected} ${found.selectedWider}`);
  }
});
