// Lists of scores: those that reach a bound (select_at_least), their sums (add_scores), and candidates in order.

import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { normals } from '../datasets/synthetic.ts';
import { ascending, cpuNs, FROM_MEMORY, IN_CACHE, type Line, type Place, SEED } from './line.ts';

const SCORE_BYTES = 4;
/** Deviations above the mean: one score in 741. */
const BOUND = 3;
/** What a round with r = 1000 puts in order. */
const CANDIDATES = 1000;

export function listLines(): readonly Line[] {
  return [...[IN_CACHE, FROM_MEMORY].flatMap(scoreLines), orderLine()];
}

function scoreLines(place: Place): readonly Line[] {
  const normal = normals(seededRandom(SEED, 'scores'));
  const scores = new Float32Array(place.bytes / SCORE_BYTES);
  const distinct = Math.min(scores.length, 2 ** 20);
  for (let i = 0; i < distinct; i++) scores[i] = normal();
  for (let i = distinct; i < scores.length; i *= 2) scores.copyWithin(i, 0, Math.min(i, scores.length - i));
  const sums = new Float64Array(6);
  const window = place.window / SCORE_BYTES;
  const numbers = new Uint32Array(window);
  let turn = 0;
  const next = (): Float32Array => {
    const first = (turn++ * window) % scores.length;
    return scores.subarray(first, first + window);
  };
  const [select, sum] = cpuNs(
    [
      { name: 'select', run: () => native.numbersAtLeast(next(), BOUND, numbers) },
      { name: 'sum', run: () => native.sumScores(next(), sums) },
    ],
    place.calls,
  ) as [number, number];
  const line = (kernel: string, ns: number): Line => ({
    kernel: `${kernel}, ${place.name}`,
    unit: 'score',
    ns: ns / window,
    bytes: SCORE_BYTES,
    javascriptNs: null,
  });
  return [line(`scores of at least ${BOUND} deviations`, select), line('sums of scores and squares', sum)];
}

/** Candidates by score, then item. */
function orderLine(): Line {
  const random = seededRandom(SEED, 'order');
  const items = Uint32Array.from({ length: CANDIDATES }, () => random.below(2 ** 27));
  const scores = Float64Array.from({ length: CANDIDATES }, () => random.below(2 ** 20));
  const order = new Uint32Array(CANDIDATES);
  const score = (i: number): number => scores[i] as number;
  const item = (i: number): number => items[i] as number;
  const [sorted, javascript] = cpuNs(
    [
      { name: 'native', run: () => native.orderByScore(items, scores, order) },
      { name: 'javascript', run: () => ascending(CANDIDATES).sort((a, b) => score(b) - score(a) || item(a) - item(b)) },
    ],
    50,
  ) as [number, number];
  return { kernel: `order ${CANDIDATES} candidates`, unit: 'call', ns: sorted, bytes: 0, javascriptNs: javascript };
}
