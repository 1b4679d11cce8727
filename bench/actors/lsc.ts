// The lsc protocol (PROTOCOLS.md; the authors' LSC evaluation): a searcher has a lifelog moment in mind and answers
// every suggestion by how close it is to that.
//
// An actor has relevant items (the ground truth), a target vector (what the searcher has in mind) and starts of five
// positives and five negatives. Each round suggests 25 unseen items; of the items labelled so far and these, the nearest
// 5 * round to the target are the positives of the next round and the farthest 15 * round the negatives.
// found@n: a relevant item was suggested by round n. The session goes on after that, so that every round has all sessions.

import { native } from '../../src/native.ts';
import { type Actor, ActorError, type Plan, type Protocol, type Setting } from './protocol.ts';

const POSITIVES_PER_ROUND = 5;
const NEGATIVES_PER_ROUND = 15;

const plan: Plan = {
  rounds: 20,
  k: 25,
  start: { positives: 5, negatives: 5, count: 1 },
  system: { clusters: '256' },
  foundAt: [10, 20, 50],
  parameters: {},
  play,
};

export const lsc: Protocol = {
  name: 'lsc',
  summary: 'the LSC evaluation: topics with a target vector, found@10, @20 and @50',
  keys: [],
  plan: () => plan,
};

function play(actor: Actor, setting: Setting): ReturnType<Plan['play']> {
  const measure = targetDistances(actor, setting);
  return (start) => {
    const distances = new Map<number, number>();
    const remember = (items: Uint32Array): void => {
      measure(items).forEach((distance, i) => {
        distances.set(items[i] as number, distance);
      });
    };
    remember(start.positive);
    remember(start.negative);
    let round = 1;
    const session = {
      positive: [...start.positive] as readonly number[],
      negative: [...start.negative] as readonly number[],
      answer(suggested: Uint32Array): void {
        remember(suggested);
        const labelled = new Set([...session.positive, ...session.negative, ...suggested]);
        const nearest = [...labelled].sort(
          (a, b) => (distances.get(a) as number) - (distances.get(b) as number) || a - b,
        );
        session.positive = nearest.slice(0, POSITIVES_PER_ROUND * round);
        session.negative = nearest.slice(
          Math.max(session.positive.length, nearest.length - NEGATIVES_PER_ROUND * round),
        );
        round++;
      },
    };
    return session;
  };
}

/** Squared distances of items to the actor's target, among vectors as the searcher knows them: not normalised. */
function targetDistances({ name, target }: Actor, { space }: Setting): (items: Uint32Array) => Float64Array {
  if (target === undefined) {
    throw new ActorError(`${name}: has no target vector, which lsc plays by; take topics like lsc41k/topics.json`);
  }
  const [modality, ...others] = space.modalities.values();
  if (modality === undefined || others.length > 0 || modality.manifest.normalize) {
    throw new ActorError(
      `${space.directory}: lsc compares targets with vectors as they came, in one modality; name an index of the same ` +
        'items built with normalize=false by --space DIR',
    );
  }
  const { dims } = modality.manifest;
  const query = new Float32Array(dims);
  for (const [feature, value] of Object.entries(target)) {
    if (!(Number(feature) < dims)) {
      throw new ActorError(`${name}: its target has feature ${feature}, modality ${modality.name} has ${dims}`);
    }
    query[Number(feature)] = value;
  }
  return (items) => {
    const distances = new Float64Array(items.length);
    native.itemDistances(modality.cells, query, items, distances);
    return distances;
  };
}
