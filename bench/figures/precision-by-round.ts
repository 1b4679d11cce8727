// Beside figure 2: how precision goes from round to round.

import { shareAxis } from './axes.ts';
import { chart, type Figure, pointsAndLines, withError } from './figure.ts';
import { NOTHING_SWEPT, seriesOf } from './systems.ts';

/** The share of a round's width over which its series are spread. */
const SIDEWAYS = 0.5;

/** Drawn for the concepts that the index knows, or for those taken out of it. */
export function precisionByRound(protocol: 'imagenet' | 'imagenet-unknown'): Figure {
  const known = protocol === 'imagenet';
  return {
    name: known ? 'fig2-rounds' : 'fig2-rounds-unknown',
    experiment: 'imagenet',
    draw(set) {
      const series = seriesOf(
        set.runs.filter((run) => run.protocol === protocol),
        NOTHING_SWEPT,
      );
      if (series.length === 0) return `no result of the protocol ${protocol}`;
      const values = series.flatMap(({ title, runs }, i) =>
        runs.flatMap(({ rounds }) =>
          rounds.map(({ round, precision, precision_se }) => ({
            series: title,
            // Series stand side by side, or the bar of one would hide that of another.
            round: round + (i - (series.length - 1) / 2) * (SIDEWAYS / series.length),
            order: round,
            joined: true,
            precision,
            ...withError(precision, precision_se),
          })),
        ),
      );
      const rounds = Math.max(...values.map(({ order }) => order));
      const concept = known ? 'known concepts' : 'unknown concepts';
      return {
        title: `Precision in each round, ${concept}`,
        caption: 'Mean precision over all actors; bars are one standard error.',
        spec: chart(
          set,
          `Precision in each round, ${concept}`,
          pointsAndLines(
            values,
            {
              field: 'round',
              type: 'quantitative',
              title: 'Round',
              scale: { type: 'linear', zero: false, nice: false, domain: [0.5, rounds + 0.5] },
              axis: { values: Array.from({ length: rounds }, (_, i) => i + 1), format: 'd', grid: false },
            },
            shareAxis('precision', 'Precision'),
            series,
          ),
        ),
      };
    },
  };
}
