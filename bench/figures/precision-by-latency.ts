// Figure 6: what precision costs, for every system.

import { millisecondsAxis, shareAxis } from './axes.ts';
import { chart, type Figure, paperLine, pointsAndLines, withError } from './figure.ts';
import { YFCC_LATENCIES } from './paper.ts';
import { seriesOf } from './systems.ts';

export const precisionByLatency: Figure = {
  name: 'fig6',
  experiment: 'yfcc100m',
  draw(set) {
    const series = seriesOf(set.runs);
    const points = series.flatMap(({ title, runs }) =>
      runs.map(({ parameters, precision, precision_se, latency_ms }) => ({
        series: title,
        latency: latency_ms.mean,
        precision,
        ...withError(precision, precision_se),
        // Runs that differ in b only make a curve; those of LSH vary in three parameters and stay dots, as in the paper.
        joined: typeof parameters.clusters === 'number',
        order: typeof parameters.clusters === 'number' ? parameters.clusters : 0,
      })),
    );
    const paper = YFCC_LATENCIES.map(({ ms }) => ms);
    const x = millisecondsAxis('latency', 'Latency of a round, mean in ms (log scale)', [
      ...points.map(({ latency }) => latency),
      ...paper,
    ]);
    const rounds = Math.max(...set.runs.map((run) => run.rounds.length));
    const y = shareAxis('precision', `Precision, mean of ${rounds} rounds`);
    return {
      title: 'Figure 6: precision against latency',
      caption:
        'Each mark is a run with its own parameters, up and to the left is better; bars are one standard error of ' +
        'precision, curves join rising b. Dashed: latencies that the paper reports for b = 256 on its own machine.',
      spec: chart(set, 'Precision against latency', [
        ...YFCC_LATENCIES.flatMap(({ ms, label }) => paperLine('x', ms, label, x)),
        ...pointsAndLines(points, x, y, series),
      ]),
    };
  },
};
