// Simulations, replays and differences as tables on stdout.

import { printTable, short } from '../measure.ts';
import type { ComparisonSummary, TranscriptDifference } from './comparison.ts';
import type { Replay } from './replay.ts';
import type { Simulation } from './simulate.ts';

export function printSimulation(result: Simulation): void {
  const { protocol, collection, actors, over, runs } = result;
  const [first] = runs;
  const title =
    `${protocol} on ${collection.name} (${collection.items} items), ${actors.count} actors, ` +
    `${first?.sessions} sessions of ${first?.rounds.length} rounds, ${over === 'http' ? 'over HTTP' : 'in process'}`;
  printTable(
    title,
    runs.map((run) => ({
      system: nameOf(run.system, run.parameters),
      precision: run.precision.toFixed(4),
      '±': run.precision_se.toFixed(4),
      recall: run.recall.toFixed(4),
      ...Object.fromEntries(Object.entries(run.found ?? {}).map(([n, share]) => [`found@${n}`, share.toFixed(3)])),
      ...Object.fromEntries(Object.entries(run.measures ?? {}).map(([name, { mean }]) => [name, short(mean)])),
      'p50 ms': short(run.latency_ms.p50),
      'p95 ms': short(run.latency_ms.p95),
      'p99 ms': short(run.latency_ms.p99),
      'RSS MB': run.rss_bytes === null ? '' : Math.round(run.rss_bytes / 1e6),
    })),
  );
  const rounds = Array.from({ length: Math.max(...runs.map((run) => run.rounds.length)) }, (_, r) => r);
  printTable(
    'precision by round',
    runs.map((run) => ({
      system: nameOf(run.system, run.parameters),
      ...Object.fromEntries(rounds.map((r) => [` ${r + 1}`, run.rounds[r]?.precision.toFixed(3) ?? ''])),
    })),
  );
}

export function printReplay({ transcript, protocol, same_generation: same, runs }: Replay): void {
  for (const { system, parameters, of, ...comparison } of runs) {
    const then = nameOf(of.system, of.parameters);
    const index = same ? 'the same index' : 'another index';
    printComparison(
      `${transcript} (${protocol}): ${then} then, ${nameOf(system, parameters)} now, ${index}`,
      comparison,
    );
  }
}

export function printDifference(difference: TranscriptDifference): void {
  const { a, b, only_in_a: onlyInA, only_in_b: onlyInB, labels_differ: labels } = difference;
  printComparison(`${a} beside ${b}`, difference);
  process.stdout.write(`rounds with other labels: ${labels}; only in ${a}: ${onlyInA}; only in ${b}: ${onlyInB}\n`);
}

function printComparison(title: string, { rounds, pairs, identical, overlap, first }: ComparisonSummary): void {
  printTable(
    title,
    rounds.map((round) => ({
      round: round.round,
      pairs: round.pairs,
      identical: round.identical,
      'overlap@k': round.overlap.mean.toFixed(4),
      least: round.overlap.min.toFixed(4),
      'first difference, least rank': round.first_difference?.min ?? '',
      'median rank': round.first_difference?.median ?? '',
    })),
  );
  const where =
    first === null
      ? ''
      : `; first at rank ${first.rank} of round ${first.round}, start ${first.start} of ${first.actor}`;
  process.stdout.write(`${identical} of ${pairs} rounds identical, mean overlap ${overlap.toFixed(4)}${where}\n`);
}

function nameOf(system: string, parameters: Readonly<Record<string, unknown>>): string {
  return [system, ...Object.entries(parameters).map(([key, value]) => `${key}=${value}`)].join(' ');
}
