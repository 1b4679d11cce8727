// What a session is worth: one number, higher is better.

import type { PlayedRound } from '../actors/tally.ts';
import { ParameterError } from '../baselines/parameters.ts';
import { mean } from '../measure.ts';

export const METRICS = ['found', 'composite', 'precision'] as const;
export type MetricName = (typeof METRICS)[number];

export type Metric = (rounds: readonly PlayedRound[], measures: Readonly<Record<string, number>>) => number;

/** Whether a relevant item was suggested at all; IRIS's composite after the epochs; the mean precision of a round. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  found: (rounds) => (rounds.some(({ relevant }) => relevant > 0) ? 1 : 0),
  composite(_, { composite }) {
    if (composite !== undefined) return composite;
    throw new ParameterError('--metric composite: this protocol does not measure it; take --protocol iris');
  },
  precision: (rounds) =>
    rounds.length === 0 ? 0 : mean(rounds.map(({ suggested, relevant }) => relevant / suggested)),
};
