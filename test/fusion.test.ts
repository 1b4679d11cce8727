// Rank fusion of modalities, recomputed by its definition.

import t from 'tap';
import { fuse } from '../src/fusion.ts';
import { seededRandom } from '../src/random.ts';

t.test('one modality keeps its scores, whatever its weight; ties go to the lower item', async (t) => {
  const candidates = Uint32Array.of(40, 10, 30, 20);
  const scores = Float64Array.of(0.5, 2, 0.5, -1);
  const { order, scores: fused, ranks } = fuse(candidates, [{ weight: 7, scores }]);
  t.strictSame([...order], [1, 2, 0, 3]);
  t.strictSame(fused, scores);
  t.strictSame([...(ranks[0] as Float64Array)], [2.5, 1, 2.5, 4], 'equal scores share their mean rank');
});

t.test('first everywhere is 1; weights pull the mean rank', async (t) => {
  const candidates = Uint32Array.of(5, 6, 7, 8);
  const a = Float64Array.of(4, 3, 2, 1);
  const b = Float64Array.of(9, 1, 2, 3);
  const even = fuse(candidates, [
    { weight: 1, scores: a },
    { weight: 1, scores: b },
  ]);
  // Ranks 1 2 3 4 and 1 4 3 2: mean ranks 1, 3, 3, 3, and 1 - (mean - 1) / 4.
  t.strictSame([...even.scores], [1, 0.5, 0.5, 0.5]);
  t.strictSame([...even.order], [0, 1, 2, 3]);
  const uneven = fuse(candidates, [
    { weight: 1, scores: a },
    { weight: 3, scores: b },
  ]);
  t.strictSame([...uneven.scores], [1, 1 - (14 / 4 - 1) / 4, 1 - (12 / 4 - 1) / 4, 1 - (10 / 4 - 1) / 4]);
  t.strictSame([...uneven.order], [0, 3, 2, 1]);
});

t.test('nothing to fuse is nothing', async (t) => {
  const none = new Float64Array(0);
  for (const modalities of [
    [],
    [{ weight: 1, scores: none }],
    [
      { weight: 1, scores: none },
      { weight: 2, scores: none },
    ],
  ]) {
    const fused = fuse(new Uint32Array(0), modalities);
    t.equal(fused.order.length + fused.scores.length, 0);
  }
});

t.test('random scores with many ties fuse as counted by hand', async (t) => {
  const random = seededRandom(1, 'fusion');
  for (const count of [1, 2, 17, 200]) {
    const candidates = Uint32Array.from({ length: count }, (_, i) => (i * 7919) % 100_003);
    const modalities = [0.5, 1, 2].map((weight) => ({
      weight,
      scores: Float64Array.from({ length: count }, () => random.below(12) - 6),
    }));
    const { order, scores, ranks } = fuse(candidates, modalities);
    for (let i = 0; i < count; i++) {
      let sum = 0;
      modalities.forEach((modality, m) => {
        const own = modality.scores[i] as number;
        const above = modality.scores.filter((score) => score > own).length;
        const equal = modality.scores.filter((score) => score === own).length;
        const rank = above + (equal + 1) / 2;
        if (ranks[m]?.[i] !== rank) t.fail(`rank of ${i} is ${ranks[m]?.[i]}, not ${rank}`);
        sum += modality.weight * rank;
      });
      // Half ranks, and weights that are powers of two: exact in double until the divisions.
      if (scores[i] !== 1 - (sum / 3.5 - 1) / count) t.fail(`score of ${i} is ${scores[i]}`);
    }
    const expected = Array.from(candidates.keys()).sort(
      (a, b) => (scores[b] as number) - (scores[a] as number) || (candidates[a] as number) - (candidates[b] as number),
    );
    t.strictSame([...order], expected);
  }
});
