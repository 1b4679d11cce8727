// The result of a search as tables on stdout.

import { printTable } from '../measure.ts';
import type { PairedDifference } from './paired.ts';
import type { Tuned } from './tune.ts';

/** Settings shown of the ranking. */
const SHOWN = 10;

export function printTuning({ search, choosing, reporting, result }: Tuned): void {
  const { metric } = search;
  printTable(
    `${search.protocol} on ${search.collection}: mean ${metric} of ${choosing.length} actors to choose by`,
    result.ranking
      .slice(0, SHOWN)
      .map(({ system, sessions, score }) => ({ [metric]: score.toFixed(4), sessions, settings: nameOf(system) })),
  );
  const { defaults, best, sessions, difference } = result.reporting;
  const { mean, se, better, worse, p } = difference;
  printTable(`mean ${metric} of ${reporting.length} other actors, ${sessions} sessions`, [
    { settings: 'defaults', [metric]: defaults.toFixed(4) },
    { settings: 'best', [metric]: best.toFixed(4) },
  ]);
  process.stdout.write(
    `difference ${mean.toFixed(4)} ± ${se.toFixed(4)}: ${better} actors better, ${worse} worse, p = ${p.toPrecision(2)} ` +
      `(paired, sign flips)${isShown(difference) ? '' : '; not shown to be better than the defaults'}\n\nthe best for farsight simulate:\n  --system ${result.best.system}\n` +
      `and for POST /v1/collections/{collection}/suggest:\n${JSON.stringify(result.best.suggest, null, 2)}\n`,
  );
}

/** Whether the actors that were kept back agree, at the usual 5 %. */
function isShown({ mean, p }: PairedDifference): boolean {
  return mean > 0 && p < 0.05;
}

function nameOf(system: string): string {
  return system === 'mix' ? 'defaults' : system;
}
