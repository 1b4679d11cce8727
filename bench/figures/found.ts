// The lsc protocol: how many sessions have found what they were looking for by round n.

import { chart, type Figure, pointsAndLines, shareAxis, withError } from './figure.ts';
import { NOTHING_SWEPT, seriesOf } from './systems.ts';

export const found: Figure = {
  name: 'found',
  experiment: 'lsc',
  draw(set) {
    const runs = set.runs.filter((run) => run.found !== undefined && Object.keys(run.found).length > 0);
    if (runs.length === 0) return 'no run says found@n';
    const series = seriesOf(runs, NOTHING_SWEPT);
    const values = series.flatMap(({ title, runs: [run] }) =>
      Object.entries(run?.found ?? {}).map(([n, share]) => ({
        series: title,
        n: Number(n),
        order: Number(n),
        joined: true,
        share,
        ...withError(share, run?.found_se?.[n] ?? null),
      })),
    );
    const rounds = [...new Set(values.map(({ n }) => n))].sort((a, b) => a - b);
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
            scale: { type: 'linear', zero: true, nice: false, domain: [0, Math.max(...rounds) * 1.05] },
            axis: { values: rounds, format: 'd' },
          },
          shareAxis('share', 'found@n, share of sessions'),
          series,
        ),
      ),
    };
  },
};
