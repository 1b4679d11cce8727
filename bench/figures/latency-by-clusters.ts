// Figure 5: what reading more clusters costs.

import { clustersAxis, millisecondsAxis } from './axes.ts';
import { chart, type Figure, layerOf, legend, paperLine, pointsAndLines } from './figure.ts';
import { YFCC_ITEMS, YFCC_LATENCIES } from './paper.ts';
import { seriesOf } from './systems.ts';

export const latencyByClusters: Figure = {
  name: 'fig5',
  experiment: 'yfcc100m',
  draw(set) {
    const sweep = set.runs.filter(
      ({ system, parameters }) => system === 'exquisitor' && typeof parameters.clusters === 'number',
    );
    if (sweep.length === 0) return 'no run of exquisitor says its clusters';
    const references = seriesOf(set.runs.filter(({ system }) => system === 'blackthorn'));
    const lines = seriesOf(sweep);
    const all = [...lines, ...references];
    const points = lines.flatMap(({ title, runs }) =>
      runs.map(({ parameters, latency_ms: { mean, p50, p95 } }) => ({
        series: title,
        b: parameters.clusters as number,
        order: parameters.clusters as number,
        joined: true,
        latency: mean,
        low: p50,
        high: p95,
      })),
    );
    const levels = references.flatMap(({ title, runs }) =>
      runs.map(({ latency_ms }) => ({ series: title, latency: latency_ms.mean })),
    );
    const paper = YFCC_LATENCIES.map(({ ms }) => ms);
    const shown = [
      ...points.flatMap(({ latency, low, high }) => [latency, low, high]),
      ...levels.map((l) => l.latency),
    ];
    const x = clustersAxis(
      'b',
      points.map(({ b }) => b),
    );
    const y = millisecondsAxis('latency', 'Latency of a round, ms (log scale)', [...shown, ...paper]);
    return {
      title: 'Figure 5: latency against b',
      caption:
        'Mean latency of a round, training included, over the clusters read; bars reach from p50 to p95. Dashed: what ' +
        `the paper reports for b = 256 on ${YFCC_ITEMS.toLocaleString('en')} items and its own machine.`,
      spec: chart(set, 'Latency against search expansion', [
        ...YFCC_LATENCIES.flatMap(({ ms, label }) => paperLine('y', ms, label, y)),
        ...layerOf(levels, {
          mark: { type: 'rule', strokeWidth: 1.8 },
          encoding: { y, color: legend(all).color },
        }),
        ...pointsAndLines(points, x, y, all),
      ]),
    };
  },
};
