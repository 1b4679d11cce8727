// IRIS: what zeta, the weight of the head's score in GridS, and N, the segments of its grid, do for the three measures.

import { shareAxis } from './axes.ts';
import { chart, type Figure, pointsAndLines, withError } from './figure.ts';
import { gridTable } from './iris-tables.ts';
import type { ProtocolRun } from './result-set.ts';
import { KNOWN_COLOR, PAPER_COLOR, type Series, UNKNOWN_COLOR } from './systems.ts';

const MEASURES = [
  { key: 'composite', title: '√(d_r · L_e)', color: KNOWN_COLOR },
  { key: 'labelling_efficiency', title: 'L_e', color: UNKNOWN_COLOR },
  { key: 'discovery_rate', title: 'd_r', color: PAPER_COLOR },
] as const;
const SHAPES = ['circle', 'square', 'diamond', 'triangle-up', 'cross'];
/** The distance of two series along the axis. */
const SIDEWAYS = 0.004;

export const compositeByZeta: Figure = {
  name: 'iris-zeta',
  experiment: 'iris',
  draw(set) {
    const runs = atOneBudget(set.runs.filter(isGrid));
    if (new Set(runs.map(zetaOf)).size < 2) return 'no two runs of spread+grid at one budget differ in zeta';
    const segments = [...new Set(runs.map(segmentsOf))].sort((a, b) => a - b);
    const shown = MEASURES.flatMap((measure) =>
      segments.map((n, s) => ({
        measure,
        series: {
          title: `${measure.title}, N = ${n}`,
          color: measure.color,
          shape: SHAPES[s % SHAPES.length] as string,
          runs: runs.filter((run) => segmentsOf(run) === n),
        } satisfies Series,
      })),
    );
    const points = shown.flatMap(({ measure, series }, i) =>
      series.runs.flatMap((run) => {
        const measured = run.measures?.[measure.key];
        if (measured === undefined) return [];
        const { mean, se } = measured;
        const x = zetaOf(run) + (i - (shown.length - 1) / 2) * SIDEWAYS;
        return [{ series: series.title, zeta: x, order: x, joined: true, share: mean, ...withError(mean, se) }];
      }),
    );
    const x = {
      field: 'zeta',
      type: 'quantitative',
      title: 'ζ, the weight of the head beside the distance to the positives',
      scale: { type: 'linear', zero: false, nice: false, domain: [-0.03, 1.03] },
      axis: { values: [0, 0.25, 0.5, 0.75, 1], format: '.2f' },
    } as const;
    const series = shown.map((each) => each.series);
    return {
      title: 'IRIS: GridS over ζ and N',
      caption:
        `Discovery rate, labelling efficiency and their geometric mean after the epochs, SpreadS beside GridS with ` +
        `${runs[0]?.parameters.seeds} seeds; bars are one standard error.`,
      spec: chart(
        set,
        'SpreadS beside GridS, by ζ and N',
        pointsAndLines(
          points,
          { ...x, axis: { ...x.axis, values: [...x.axis.values] }, scale: { ...x.scale, domain: [...x.scale.domain] } },
          shareAxis('share', 'Share'),
          series,
        ),
      ),
      markdown: gridTable(runs),
    };
  },
};

function isGrid({ system, parameters }: ProtocolRun): boolean {
  return system === 'spread+grid' && typeof parameters.zeta === 'number' && typeof parameters.segments === 'number';
}

function zetaOf({ parameters }: ProtocolRun): number {
  return parameters.zeta as number;
}

function segmentsOf({ parameters }: ProtocolRun): number {
  return parameters.segments as number;
}

/** The runs of the budget that has the most of them. */
function atOneBudget(runs: readonly ProtocolRun[]): readonly ProtocolRun[] {
  const counts = new Map<unknown, number>();
  for (const { parameters } of runs) counts.set(parameters.seeds, (counts.get(parameters.seeds) ?? 0) + 1);
  const [best] = [...counts].sort(([, a], [, b]) => b - a);
  return runs.filter(({ parameters }) => parameters.seeds === best?.[0]);
}
