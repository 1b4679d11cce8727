// The order that the IRIS paper finds, RandS >= GridS > uniform > SpreadS alone, tested in pairs over the classes.

import { mean } from '../measure.ts';
import { type PairedDifference, pairedTest } from '../tuning/paired.ts';
import type { Ablation } from './ablations.ts';

/** Measures of one ablation's sessions by class. */
export type ByClass = Map<string, Readonly<Record<string, number>>[]>;

export interface Difference extends PairedDifference {
  readonly seeds: number;
  readonly system: string;
  readonly measure: string;
  readonly beside: string;
  readonly a: number;
  readonly beside_measure: string;
}

/** After the epochs, and after the final sweep. */
const MOMENTS = ['composite', 'swept_composite'] as const;
const MIXES = ['spread+rand', 'spread+grid', 'spread+uniform'] as const;

/**
 * Mixes beside each other at both moments; and beside SpreadS alone of every a, at both moments and as the paper compares
 * them: a mix after the final sweep, SpreadS without one, since it has no head to sweep with.
 */
export function differencesOf(played: ReadonlyMap<Ablation, ByClass>, seeds: number): readonly Difference[] {
  const of = (name: string) => [...played.keys()].filter(({ system }) => system === name);
  const mixes = MIXES.flatMap((name) => of(name).slice(0, 1));
  const compare = (first: Ablation, second: Ablation, measure: string, other: string): Difference => ({
    seeds,
    system: first.system,
    measure,
    beside: second.system,
    a: second.a,
    beside_measure: other,
    ...pairedTest(byClass(played, first, measure, played.get(second) as ByClass, other), 0),
  });
  const each = mixes.flatMap((mix, m) =>
    mixes.slice(m + 1).flatMap((other) => MOMENTS.map((measure) => compare(mix, other, measure, measure))),
  );
  const alone = mixes.flatMap((mix) =>
    of('spread').flatMap((spread) => [
      ...MOMENTS.map((measure) => compare(mix, spread, measure, measure)),
      compare(mix, spread, 'swept_composite', 'composite'),
    ]),
  );
  return [...each, ...alone];
}

/** One difference of means a class. */
function byClass(
  played: ReadonlyMap<Ablation, ByClass>,
  first: Ablation,
  measure: string,
  others: ByClass,
  other: string,
): readonly number[] {
  const meanOf = (sessions: readonly Readonly<Record<string, number>>[] | undefined, name: string): number =>
    mean((sessions ?? []).map((measures) => measures[name] as number));
  return [...(played.get(first) as ByClass)].map(
    ([name, sessions]) => meanOf(sessions, measure) - meanOf(others.get(name), other),
  );
}
