// The lsc protocol on lsc41k: found@10 and found@20 over 12 topics x 50 starts, for the geometry (raw values or unit
// length), the trainer, and how much of the index is read.
//   node dist/bench/lsc.bench.js [starts]

import { join } from 'node:path';
import type { Collection } from '../src/index/open.ts';
import { round } from '../src/round.ts';
import { ROUND_DEFAULTS, type RoundRequest } from '../src/round-request.ts';
import { type LscTopic, playLsc, readTopics, targetDistances } from './actors/lsc.ts';
import { dataFolder, indexOf, isReal, lsc41k } from './datasets/collections.ts';
import { printTable, writeRun } from './measure.ts';

const ROUNDS = 20;

type Variant = Partial<Pick<RoundRequest, 'model' | 'clusters' | 'exhaustive'>>;

const svm = (loss: 'hinge' | 'squared_hinge', c: number) => ({ ...ROUND_DEFAULTS.model, loss, c });
const variants: readonly (readonly [string, boolean, Variant])[] = [
  ['hinge C=1, exhaustive', false, { model: svm('hinge', 1), exhaustive: true }],
  ['hinge C=100, exhaustive', false, { model: svm('hinge', 100), exhaustive: true }],
  ['default, exhaustive', false, { exhaustive: true }],
  ['default, b=256', false, { clusters: 256 }],
  ['default, b=64', false, { clusters: 64 }],
  ['hinge C=1, exhaustive', true, { model: svm('hinge', 1), exhaustive: true }],
  ['hinge C=100, exhaustive', true, { model: svm('hinge', 100), exhaustive: true }],
  ['hinge C=100, b=256', true, { model: svm('hinge', 100), clusters: 256 }],
  ['hinge C=100, b=64', true, { model: svm('hinge', 100), clusters: 64 }],
  ['default, exhaustive', true, { exhaustive: true }],
  ['default, b=256', true, { clusters: 256 }],
  ['default, b=64', true, { clusters: 64 }],
  [
    'rocchio, exhaustive',
    true,
    { model: { kind: 'rocchio', positiveWeight: 1, negativeWeight: 0.5 }, exhaustive: true },
  ],
];

if (!isReal(lsc41k)) {
  process.stdout.write('lsc41k is not here (../shared/data or FARSIGHT_DATA): the protocol needs its topics\n');
} else {
  const starts = Number(process.argv[2] ?? 50);
  const raw = indexOf(lsc41k, { keys: { normalize: 'false' } }).collection;
  const unit = indexOf(lsc41k, { keys: { normalize: 'true' } }).collection;
  const topics = readTopics(join(dataFolder() as string, 'lsc41k/topics.json'));
  const distances = topics.map((topic) => targetDistances(raw, topic));
  const rows = variants.map(([name, normalize, variant]) => {
    const played = play(normalize ? unit : raw, topics, distances, starts, variant);
    const share = (rounds: number): number => played.filter((round) => round <= rounds).length / played.length;
    const error = Math.sqrt((share(10) * (1 - share(10))) / played.length);
    return {
      vectors: normalize ? 'unit length' : 'raw',
      search: name,
      'found@10': share(10).toFixed(3),
      'found@20': share(ROUNDS).toFixed(3),
      'standard error': error.toFixed(3),
    };
  });
  const { model } = ROUND_DEFAULTS;
  printTable(`lsc protocol, ${topics.length} topics x ${starts} starts; default is ${model.loss} C=${model.c}`, rows);
  process.stdout.write(`${writeRun('lsc', { topics: topics.length, starts, rows })}\n`);
}

/** The round in which each start found a relevant item. */
function play(
  collection: Collection,
  topics: readonly LscTopic[],
  distances: readonly Float64Array[],
  starts: number,
  variant: Variant,
): number[] {
  const modalities = [...collection.modalities.keys()].map((name) => ({ name, weight: 1 }));
  return topics.flatMap((topic, t) =>
    topic.starts
      .slice(0, starts)
      .map((start) =>
        playLsc(topic, start, distances[t] as Float64Array, ROUNDS, (request) =>
          round(collection, { ...ROUND_DEFAULTS, ...variant, ...request, modalities }),
        ),
      ),
  );
}
