// The protocols of Exquisitor §4.2 and §4.3. Relevant suggestions become positives; each round brings 100 further random
// negatives from the whole collection. These are preset: they depend on the start and on nothing that a system answers,
// so that all systems are taught alike. The actor is truthful, so a relevant item is never drawn as a negative.

import { type Random, seededRandom } from '../../src/random.ts';
import { type Actor, ActorError, type Plan, type Protocol, type Setting } from './protocol.ts';

const NEGATIVES_PER_ROUND = 100;

export const imagenet = protocol(
  'imagenet',
  'Exquisitor §4.2: 10 positives of a class and 100 random negatives to start, b=256',
  { start: { positives: 10, negatives: 100, count: 1 }, system: { clusters: '256' } },
);

/** The zeroed concepts are a matter of the collection (bench/unknown-concepts.bench.ts makes it), not of the session. */
export const imagenetUnknown = protocol(
  'imagenet-unknown',
  'the same on a collection in which the concepts of its actors are set to 0',
  { start: { positives: 10, negatives: 100, count: 1 }, system: { clusters: '256' } },
);

export const yfcc100m = protocol(
  'yfcc100m',
  'Exquisitor §4.3: 100 positives and 100 negatives to start, b=256, S_c=16, r=1000',
  {
    start: { positives: 100, negatives: 100, count: 1 },
    system: { clusters: '256', segments: '16', candidates: '1000' },
  },
);

function protocol(name: string, summary: string, differing: Pick<Plan, 'start' | 'system'>): Protocol {
  const plan: Plan = { rounds: 10, k: 25, foundAt: [], parameters: {}, play, ...differing };
  return { name, summary, keys: [], plan: () => plan };
}

function play(actor: Actor, { collection: { items }, rounds, seed }: Setting): ReturnType<Plan['play']> {
  return (start) => {
    const random = seededRandom(start.seed, `negatives of seed ${seed}`);
    const drawn = new Set(start.negative);
    const wanted = (rounds - 1) * NEGATIVES_PER_ROUND;
    if (wanted > items - actor.relevant - drawn.size) {
      throw new ActorError(
        `${actor.name}: ${wanted} further negatives are needed and ${items - actor.relevant - drawn.size} irrelevant ` +
          'items are left; play fewer --rounds or a larger collection',
      );
    }
    const positive = [...start.positive];
    const negative = [...start.negative];
    return {
      positive,
      negative,
      answer(suggested) {
        for (const item of suggested) if (actor.isRelevant(item)) positive.push(item);
        negative.push(...freshNegatives(random, items, actor, drawn));
      },
    };
  };
}

/** The next preset negatives: distinct, irrelevant, none twice in a session. */
function freshNegatives(random: Random, items: number, actor: Actor, drawn: Set<number>): number[] {
  const fresh: number[] = [];
  // The last round's answer asks for labels that nobody uses; it takes what is left.
  const left = Math.min(NEGATIVES_PER_ROUND, items - actor.relevant - drawn.size);
  while (fresh.length < left) {
    const item = random.below(items);
    if (drawn.has(item) || actor.isRelevant(item)) continue;
    drawn.add(item);
    fresh.push(item);
  }
  return fresh;
}
