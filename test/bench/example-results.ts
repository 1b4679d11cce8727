// Made-up results of farsight simulate with the shapes of the papers' figures, from a seed: for tests of the figures.

import { type Random, seededRandom } from '../../src/random.ts';

type Parameters = Readonly<Record<string, number>>;
/** A run in short: what it reaches and how long a round takes. */
interface Outcome {
  readonly system: string;
  readonly parameters: Parameters;
  readonly precision: number;
  readonly ms: number;
  readonly sessions: number;
  readonly more?: Readonly<Record<string, unknown>>;
}

const ROUNDS = 10;
const MACHINE = { cpu: 'example CPU', cores: 2, load: 0.1, memory_gib: 24, node: process.version, isa: 'avx512' };

/** As an object, to be changed or written. */
export function exampleResult(
  protocol: 'imagenet' | 'imagenet-unknown' | 'yfcc100m' | 'lsc' | 'iris',
  { seed = 1, collection = `example-${protocol}`, items = 99_206_564 } = {},
) {
  const random = seededRandom(seed, `example ${protocol}`);
  const outcomes = OUTCOMES[protocol](random);
  return {
    kind: 'farsight-simulation',
    version: 1,
    protocol,
    date: '2026-11-23T00:00:00.000Z',
    machine: MACHINE,
    collection: { name: collection, generation: `generation of ${collection}`, items },
    over: 'process',
    runs: outcomes.map((outcome) => runOf(outcome, random)),
  };
}

export type ExampleResult = ReturnType<typeof exampleResult>;

export const SWEEP = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const SEED_BUDGETS = [1, 2, 5, 10, 50];

const OUTCOMES = {
  yfcc100m: yfcc,
  imagenet: (r: Random) => imagenet(r, 0.48, 0.42),
  'imagenet-unknown': (r: Random) => imagenet(r, 0.44, 0.05),
  lsc,
  iris,
};

function yfcc(random: Random): readonly Outcome[] {
  const sessions = 2500;
  const swept = (system: string, segments: number, top: number, ms: number): readonly Outcome[] =>
    SWEEP.map((clusters) => ({
      system,
      parameters: { clusters, segments, candidates: 1000 },
      precision: top * (0.67 + 0.33 * (Math.log2(clusters) / 9)) * jitter(random, 0.02),
      ms: ms + clusters * 0.01 * (1 + segments / 40),
      sessions,
    }));
  const hashed = (system: string, top: number): readonly Outcome[] =>
    [2 ** 10, 2 ** 14, 2 ** 18].flatMap((buckets) =>
      [15, 20, 40].map((probes) => ({
        system,
        parameters: { tables: 10, buckets, probes },
        precision: top * jitter(random, 0.1),
        ms: (probes * 40) / Math.log2(buckets),
        sessions,
      })),
    );
  return [
    ...swept('exquisitor', 1, 0.21, 1.2),
    ...swept('exquisitor', 16, 0.24, 1.3),
    ...swept('knn-ecp', 1, 0.06, 1.1),
    ...hashed('svm-lsh', 0.19),
    ...hashed('knn-lsh', 0.06),
    { system: 'blackthorn', parameters: { workers: 1 }, precision: 0.215, ms: 120, sessions },
    { system: 'float', parameters: { candidates: 1000 }, precision: 0.216, ms: 900, sessions },
    ...[100, 400, 1600].map((ef) => ({
      system: 'hnsw',
      parameters: { ef },
      precision: 0.1 + ef / 20_000,
      ms: ef / 60,
      sessions,
    })),
  ];
}

function imagenet(random: Random, svm: number, knn: number): readonly Outcome[] {
  const sessions = 50;
  const outcome = (system: string, parameters: Parameters, top: number, ms: number): Outcome => ({
    system,
    parameters,
    precision: top * jitter(random, 0.05),
    ms,
    sessions,
  });
  return [
    outcome('exquisitor', { clusters: 256 }, svm, 0.8),
    outcome('blackthorn', { workers: 1 }, svm, 13),
    outcome('svm-lsh', { tables: 10, buckets: 2 ** 14, probes: 20 }, svm * 0.96, 7),
    outcome('knn-ecp', { clusters: 256 }, knn, 0.7),
    outcome('knn-lsh', { tables: 10, buckets: 2 ** 14, probes: 20 }, knn * 0.95, 4),
  ];
}

function lsc(random: Random): readonly Outcome[] {
  const shares = (at10: number) => ({
    found: { 10: at10 * jitter(random, 0.02), 20: at10 * 1.3, 50: Math.min(1, at10 * 1.5) },
    found_se: { 10: 0.03, 20: 0.025, 50: 0.02 },
  });
  return [
    ...[64, 256].map((clusters) => ({
      system: 'exquisitor',
      parameters: { clusters },
      precision: 0.02,
      ms: 0.5,
      sessions: 600,
      more: shares(0.6),
    })),
    { system: 'blackthorn', parameters: {}, precision: 0.02, ms: 0.9, sessions: 600, more: shares(0.64) },
    { system: 'knn-ecp', parameters: { clusters: 256 }, precision: 0.01, ms: 0.4, sessions: 600, more: shares(0.3) },
  ];
}

const IRIS_MEASURES = ['composite', 'swept_composite', 'labelling_efficiency', 'discovery_rate'];

function iris(random: Random): readonly Outcome[] {
  const levels = { spread: 0.12, 'spread+uniform': 0.17, 'spread+rand': 0.31, manual: 0.08 };
  const run = (system: string, level: number, parameters: Record<string, number>): Outcome => ({
    system,
    parameters,
    precision: 0.2,
    ms: 3,
    sessions: 250,
    more: {
      measures: Object.fromEntries(
        IRIS_MEASURES.map((measure) => [measure, { mean: level * jitter(random, 0.1), se: 0.008 }]),
      ),
    },
  });
  const grid = (seeds: number, zeta: number, segments: number): Outcome =>
    run('spread+grid', 0.2 + 0.1 * zeta, { seeds, zeta, segments });
  return [
    ...Object.entries(levels).flatMap(([system, level]) => SEED_BUDGETS.map((seeds) => run(system, level, { seeds }))),
    ...SEED_BUDGETS.map((seeds) => grid(seeds, 1, 10)),
    // Walked through at one budget.
    ...[0, 0.5].map((zeta) => grid(5, zeta, 10)),
    ...[0, 0.5, 1].map((zeta) => grid(5, zeta, 20)),
  ];
}

function runOf({ system, parameters, precision, ms, sessions, more }: Outcome, random: Random) {
  const error = Math.sqrt((precision * (1 - precision)) / sessions);
  const latency = { mean: ms, p50: 0.95 * ms, p95: 1.4 * ms, p99: 1.8 * ms, max: 3 * ms };
  return {
    system,
    parameters,
    sessions,
    rounds: Array.from({ length: ROUNDS }, (_, r) => ({
      round: r + 1,
      precision: precision * (0.8 + (0.4 * r) / (ROUNDS - 1)) * jitter(random, 0.02),
      precision_se: error,
      recall: 0.001,
      latency_ms: latency,
    })),
    precision,
    precision_se: error,
    latency_ms: latency,
    rss_bytes: 2 ** 30,
    open_ms: 12,
    ...more,
  };
}

/** A factor in 1 ± size. */
function jitter(random: Random, size: number): number {
  return 1 + size * ((2 * random.below(1_000_000)) / 1_000_000 - 1);
}
