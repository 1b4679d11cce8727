// The lsc protocol: how many sessions have found what they were looking for by round n.

import { shareAxis } from './axes.ts';
import { chart, type Figure, pointsAndLines, withError } from './figure.ts';
import { NOTHING_SWEPT, seriesOf } from './systems.ts';

/** The distance of two series along the axis, as a share of it. */
const SIDEWAYS = 0.01;

export const found: Figure = {
  name: 'found',
  experiment: 'lsc',
  draw(set) {
    const runs = set.runs.filter((run) => run.found !== undefined && Object.keys(run.found).length > 0);
    if (runs.length === 0) return 'no run says found@n';
    const series = seriesOf(runs, NOTHING_SWEPT);
    const most = Math.max(...runs.flatMap(({ found }) => Object.keys(found ?? {}).map(Number)));
    const values = series.flatMap(({ title, runs: [run] }, i) =>
      Object.entries(run?.found ?? {}).map(([n, share]) => ({
        series: title,
        // Series stand side by side, or the mark of one would hide that of another.
        n: Number(n) + (i - (series.length - 1) / 2) * SIDEWAYS * most,
        order: Number(n),
        joined: true,
        share,
        ...withError(share, run?.found_se?.[n] ?? null),
      })),
    );
    const rounds = [...new Set(values.map(({ order }) => order))].sort((a, b) => a - b);
    return {
      title: 'found@n',
      caption: 'Share of sessions in which a relevant item was suggested by round n; bars are one standard error.',
      spec: chart(
        set,
        'Sessions that found a relevant item by round n',
        pointsAndLines(
          values,
          {
            field: 'n',
            type: 'quantitative',
            title: 'Round n',
            scale: { type: 'linear', zero: true, nice: false, domain: [0, most * 1.05] },
            axis: { values: rounds, format: 'd' },
          },
          shareAxis('share', 'found@n, share of sessions'),
          series,
        ),
      ),
    };
  },
};
