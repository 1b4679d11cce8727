// Results that belong into one picture: the same protocol, collection, path to the system and machine.

import type { Difference, Protocol, Run, Simulation } from './simulation.ts';

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
  readonly differences: readonly Difference[];
}

/** Groups results; runs of one system that a group has twice are refused. */
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
    // The collections of imagenet-unknown are made from that of imagenet, which names them all.
    const first = group.find(({ protocol }) => protocol === 'imagenet') ?? any;
    return {
      experiment: experimentOf(first.protocol),
      collection: first.collection.name,
      items: first.collection.items,
      over: first.over,
      machine: machineOf(first),
      date: first.date,
      files: group.map(({ file }) => file),
      runs: distinctRuns(group),
      differences: group.flatMap(({ differences = [] }) => differences),
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

function distinctRuns(group: readonly Simulation[]): readonly ProtocolRun[] {
  const seen = new Map<string, string>();
  return group.flatMap(({ file, protocol, runs }) =>
    runs.map((run) => {
      const name = runName(run);
      const other = seen.get(`${protocol} ${name}`);
      if (other !== undefined) {
        const where = other === file ? file : `${other} and ${file}`;
        throw new Error(`${where}: two ${protocol} runs of ${name}; leave one of them out`);
      }
      seen.set(`${protocol} ${name}`, file);
      return { ...run, protocol };
    }),
  );
}

function runName({ system, parameters }: Run): string {
  const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return [system, ...sorted.map(([name, value]) => `${name}=${value}`)].join(' ');
}
