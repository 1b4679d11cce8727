// Results that belong into one picture: the same protocol, collection, path to the system and machine.

import type { Protocol, Run, Simulation } from './simulation.ts';

/** A run and the protocol it played. */
export interface ProtocolRun extends Run {
  readonly protocol: Protocol;
}

export interface ResultSet {
  /** The protocols of one experiment: 'imagenet' stands for imagenet-unknown too. */
  readonly experiment: Exclude<Protocol, 'imagenet-unknown'>;
  readonly collection: string;
  readonly items: number;
  readonly over: Simulation['over'];
  readonly machine: string;
  readonly date: string;
  readonly files: readonly string[];
  readonly runs: readonly ProtocolRun[];
}

/**
 * Groups results. Runs of one system with the same parameters are pooled where they played on different collections (the
 * five of imagenet-unknown, each without the concepts of other actors); on the same collection they are refused.
 */
export function resultSets(results: readonly Simulation[]): readonly ResultSet[] {
  const groups = new Map<string, Simulation[]>();
  for (const result of results) {
    const { name, generation, items } = result.collection;
    const experiment = experimentOf(result.protocol);
    const one = experiment === 'imagenet' ? [] : [name, generation];
    const key = JSON.stringify([experiment, ...one, items, result.over, machineOf(result)]);
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].map((group) => {
    const [any] = group as [Simulation];
    // The five collections of imagenet-unknown are made from that of imagenet, which names them all.
    const first = group.find(({ protocol }) => protocol === 'imagenet') ?? any;
    return {
      experiment: experimentOf(first.protocol),
      collection: first.collection.name,
      items: first.collection.items,
      over: first.over,
      machine: machineOf(first),
      date: first.date,
      files: group.map(({ file }) => file),
      runs: pooledRuns(group),
    };
  });
}

function experimentOf(protocol: Protocol): ResultSet['experiment'] {
  return protocol === 'imagenet-unknown' ? 'imagenet' : protocol;
}

/** What latencies depend on; the load of the moment is left out, or every result would stand alone. */
function machineOf({ machine }: Simulation): string {
  const { cpu = 'unknown CPU', cores = '?', isa } = machine;
  return `${cpu}, ${cores} cores${isa === undefined ? '' : `, ${isa}`}`;
}

function pooledRuns(group: readonly Simulation[]): readonly ProtocolRun[] {
  const alike = new Map<string, { readonly of: Simulation; readonly run: ProtocolRun }[]>();
  for (const of of group) {
    for (const run of of.runs) {
      const key = `${of.protocol} ${runKey(run)}`;
      const others = alike.get(key) ?? [];
      const twin = others.find((other) => other.of.collection.generation === of.collection.generation);
      if (twin !== undefined) {
        const where = twin.of === of ? of.file : `${twin.of.file} and ${of.file}`;
        throw new Error(`${where}: two runs of ${runKey(run)} on the same collection; leave one of them out`);
      }
      alike.set(key, [...others, { of, run: { ...run, protocol: of.protocol } }]);
    }
  }
  return [...alike.values()].map((parts) => pool(parts.map(({ run }) => run)));
}

function runKey({ system, parameters }: Run): string {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return [system, ...sorted.map(([name, value]) => `${name}=${value}`)].join(' ');
}

/** One run out of several over disjoint sets of sessions. */
function pool(parts: readonly ProtocolRun[]): ProtocolRun {
  const [first] = parts as [ProtocolRun];
  if (parts.length === 1) return first;
  const other = parts.find(({ rounds }) => rounds.length !== first.rounds.length);
  if (other !== undefined) {
    throw new Error(
      `${runKey(first)}: ${first.rounds.length} and ${other.rounds.length} rounds; they cannot be pooled`,
    );
  }
  return {
    ...first,
    sessions: parts.reduce((sum, { sessions }) => sum + sessions, 0),
    ...pooledMeasures(parts.map((part) => ({ ...part, of: part.sessions }))),
    rounds: first.rounds.map((round, r) => ({
      ...round,
      ...pooledMeasures(parts.map((part) => ({ ...(part.rounds[r] as typeof round), of: part.sessions }))),
    })),
  };
}

type Measured = Pick<Run, 'precision' | 'precision_se' | 'latency_ms'> & { readonly of: number };

/**
 * Means weighted by sessions. A part of n sessions with mean p and standard error e has the sum of squares
 * e^2 n (n - 1) + n (p - mean)^2 about the common mean; their total over N (N - 1) is the square of the common error.
 * Quantiles of latencies cannot be pooled exactly: the weighted mean stands for the middle ones, the largest for max.
 */
function pooledMeasures(parts: readonly Measured[]): Omit<Measured, 'of'> {
  const total = parts.reduce((sum, { of }) => sum + of, 0);
  const weighted = (value: (part: Measured) => number): number =>
    parts.reduce((sum, part) => sum + (part.of / total) * value(part), 0);
  const precision = weighted((part) => part.precision);
  const squares = parts.reduce(
    (sum, { of, precision: p, precision_se: error }) =>
      sum + (error ?? 0) ** 2 * of * (of - 1) + of * (p - precision) ** 2,
    0,
  );
  return {
    precision,
    precision_se: Math.sqrt(squares / (total * (total - 1))),
    latency_ms: {
      mean: weighted(({ latency_ms }) => latency_ms.mean),
      p50: weighted(({ latency_ms }) => latency_ms.p50),
      p95: weighted(({ latency_ms }) => latency_ms.p95),
      p99: weighted(({ latency_ms }) => latency_ms.p99),
      max: Math.max(...parts.map(({ latency_ms }) => latency_ms.max)),
    },
  };
}
