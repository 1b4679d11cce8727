// The estimate of an audit against its definition, and how often its intervals cover the truth.

import t from 'tap';
import { limitsOf, relevantItems, type StratumCount } from '../../src/audit.ts';
import { drawFrame } from '../../src/audit-frame.ts';
import { native } from '../../src/native.ts';
import { type Random, seededRandom } from '../../src/random.ts';

const SESSIONS = 500;
/** Intervals of 90 % miss at most 10 % of the time; of 500 so many by chance but once in a thousand (binomial). */
const MOST_MISSES = 72;

/** Strata as items and how many of them are relevant: rare, even, dense, and all in the last. */
const worlds: Readonly<Record<string, readonly (readonly [items: number, relevant: number])[]>> = {
  'rarer with the score': [
    [300, 240],
    [900, 90],
    [3000, 30],
    [10_000, 10],
  ],
  'a few in every stratum': [
    [1000, 20],
    [1000, 20],
    [1000, 20],
    [1000, 20],
  ],
  'most are relevant': [
    [500, 450],
    [500, 400],
    [500, 300],
    [500, 200],
  ],
  'two in each of millions': [
    [1_000_000, 2],
    [6_000_000, 2],
    [20_000_000, 2],
    [70_000_000, 2],
  ],
  'hidden in the last': [
    [1000, 0],
    [1000, 0],
    [1000, 0],
    [1000, 30],
  ],
  none: [
    [1000, 0],
    [100_000, 0],
  ],
  all: [
    [400, 400],
    [40, 40],
  ],
};

t.test(
  'the interval covers the truth in 9 of 10 sessions at least, whatever the relevant items are like',
  async (t) => {
    const random = seededRandom(1, 'audit test');
    for (const [name, strata] of Object.entries(worlds)) {
      const truth = strata.reduce((sum, [, relevant]) => sum + relevant, 0);
      for (const sampled of [10, 40]) {
        let misses = 0;
        for (let session = 0; session < SESSIONS; session++) {
          const { low, high } = relevantItems(strata.map((stratum) => sampleOf(stratum, sampled, random)));
          if (low > truth || truth > high) misses++;
        }
        t.ok(misses <= MOST_MISSES, `${name}, ${sampled} of each: ${misses} of ${SESSIONS} missed`);
      }
    }
  },
);

t.test(
  'without a relevant item in the sample there may still be some, by the rule of Clopper and Pearson',
  async (t) => {
    const { low, high } = limitsOf({ items: 1e6, labelled: 100, relevant: 0 });
    t.equal(low, 0);
    // (1 - p)^100 = 0.025 for an infinite stratum.
    t.ok(Math.abs(high / 1e6 - (1 - 0.025 ** (1 / 100))) < 1e-5);
  },
);

t.test('what is labelled whole is known, and what is not labelled at all is not', async (t) => {
  const known = { items: 40, labelled: 40, relevant: 13 };
  t.strictSame(relevantItems([known]), { estimate: 13, low: 13, high: 13 });
  const { low, high } = relevantItems([known, { items: 500, labelled: 0, relevant: 0 }]);
  t.strictSame([low, high], [13, 513]);
});

t.test('a frame cuts by score, leaves the labelled out, and draws every item as often as its neighbours', async (t) => {
  const items = 600;
  const random = seededRandom(2, 'audit test');
  const scanned = Float32Array.from({ length: items }, () => random.below(1000) / 1000);
  const threshold = greatest(scanned, 100);
  const selected = Uint32Array.from(scanned.keys()).filter((item) => (scanned[item] as number) >= threshold);
  const labelled = Uint32Array.of(3, 50, 51, 599);
  const drawn = new Uint32Array(items);
  const draws = 400;
  for (let seed = 0; seed < draws; seed++) {
    const strata = drawFrame(scanned, selected, labelled, { strata: 3, perStratum: 10, population: items, seed });
    t.equal(
      strata.reduce((sum, stratum) => sum + stratum.items, 0),
      items - labelled.length,
    );
    let least = Number.POSITIVE_INFINITY;
    for (const { selected: side, sample } of strata) {
      t.equal(new Set(sample).size, sample.length);
      const scores = sample.map((item) => scanned[item] as number);
      t.ok(Math.max(...scores) < least, 'strata follow each other');
      least = Math.min(...scores);
      for (const item of sample) {
        t.equal(selected.includes(item), side);
        drawn[item] = (drawn[item] as number) + 1;
      }
    }
  }
  t.ok(labelled.every((item) => drawn[item] === 0));
  // Of some 33 items 10 are drawn: 400 draws give 121 on average with a deviation of 9.2; 6 of these are never passed.
  const above = [...selected].filter((item) => !labelled.includes(item)).map((item) => drawn[item] as number);
  t.ok(
    above.every((count) => Math.abs(count - 121) < 6 * 9.2),
    `${Math.min(...above)} to ${Math.max(...above)}`,
  );
});

/** What a uniform sample without replacement shows. */
function sampleOf([items, relevant]: readonly [number, number], sampled: number, random: Random): StratumCount {
  const labelled = Math.min(sampled, items);
  let found = 0;
  for (let i = 0; i < labelled; i++) if (random.below(items - i) < relevant - found) found++;
  return { items, labelled, relevant: found };
}

/** The n-th greatest value, from 1. */
function greatest(values: Float32Array, n: number): number {
  const found = new Float32Array(1);
  native.greatestValues(values, Uint32Array.of(n), found);
  return found[0] as number;
}
