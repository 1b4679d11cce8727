// IRIS: the composite metric of each mix of samplers over the seed budgets, after the epochs and after the final sweep.

import { shareAxis } from './axes.ts';
import { chart, type Figure, hasRange, type Layer, layerOf, withError } from './figure.ts';
import { differenceTable, measureTables } from './iris-tables.ts';
import { IRIS_COMPOSITES } from './paper.ts';
import type { ProtocolRun, ResultSet } from './result-set.ts';
import { PAPER_COLOR, type Series, seriesOf } from './systems.ts';

const COLUMN_WIDTH = 130;

/** What a figure shows: the name of its files, how its measures begin, and how its title ends. */
const MOMENTS = {
  epochs: { name: 'iris', prefix: '', when: 'after the epochs' },
  sweep: { name: 'iris-swept', prefix: 'swept_', when: 'after the final sweep' },
} as const;

export const composite = (moment: keyof typeof MOMENTS): Figure => ({
  name: MOMENTS[moment].name,
  experiment: 'iris',
  draw(set) {
    const { prefix, when } = MOMENTS[moment];
    const measure = `${prefix}composite`;
    const runs = atEveryBudget(set.runs.filter(({ measures }) => measures?.[measure] !== undefined));
    if (runs.length === 0) return `no run says its composite metric ${when}`;
    const unsaid = runs.find(({ parameters }) => typeof parameters.seeds !== 'number');
    if (unsaid !== undefined) return `a run of ${unsaid.system} does not say its number of seeds`;
    const series = seriesOf(runs);
    const values = series.flatMap(({ title, runs: own }) =>
      own.flatMap(({ parameters, measures }) => {
        const measured = measures?.[measure];
        if (measured === undefined) return [];
        const { mean, se } = measured;
        return [{ series: title, seeds: parameters.seeds as number, composite: mean, ...withError(mean, se) }];
      }),
    );
    const budgets = [...new Set(values.map(({ seeds }) => seeds))].sort((a, b) => a - b);
    const titles = series.map(({ title }) => title);
    const x = { field: 'series', type: 'nominal', sort: titles, title: null, axis: { labelAngle: 0 } } as const;
    const xOffset = { field: 'seeds', type: 'nominal', sort: budgets } as const;
    const y = shareAxis('composite', 'Composite metric, √(d_r · L_e)');
    const color = {
      field: 'seeds',
      type: 'ordinal',
      title: 'seeds',
      sort: budgets,
      scale: { domain: budgets, scheme: 'viridis' },
    } as const;
    const published = IRIS_COMPOSITES.flatMap(({ system, ...range }) =>
      series
        .filter(({ runs: [run] }) => run?.system === system)
        .map(({ title }) => ({ series: title, ...range, labelAt: highest(values, title, range.most) })),
    );
    return {
      title: `IRIS: composite metric ${when}`,
      caption:
        'Geometric mean of discovery rate and labelling efficiency for each number of seeds; bars are one standard ' +
        'error. Dashed: the least and the most that the IRIS paper reports over the seed budgets, on its own data.',
      spec: chart(
        set,
        `Composite metric by mix of samplers, ${when}`,
        [
          { data: { values }, mark: { type: 'bar' }, encoding: { x, xOffset, y, color } },
          ...layerOf(values.filter(hasRange), {
            mark: { type: 'rule', strokeWidth: 1.2, color: 'black' },
            encoding: { x, xOffset, y: { ...y, field: 'low' }, y2: { field: 'high' } },
          }),
          ...publishedRanges(published, x),
        ],
        Math.max(360, titles.length * COLUMN_WIDTH),
      ),
      markdown: tables(set, series, budgets, moment),
    };
  },
});

/** All measures of the moment; differences, which are of both, stand after the sweep. */
function tables(
  set: ResultSet,
  series: readonly Series[],
  budgets: readonly number[],
  moment: keyof typeof MOMENTS,
): string {
  const measures = measureTables(series, budgets, MOMENTS[moment].prefix);
  const differences = moment === 'sweep' ? differenceTable(set) : null;
  return differences === null ? measures : `${measures}\n\n${differences}`;
}

/** Without the runs of a setting that other budgets lack: zeta, N or alpha walked through at one of them. */
function atEveryBudget(runs: readonly ProtocolRun[]): readonly ProtocolRun[] {
  const budgets = new Map<string, number>();
  const settingOf = ({ system, parameters: { seeds: _, ...others } }: ProtocolRun): string =>
    JSON.stringify([system, ...Object.entries(others)]);
  for (const run of runs) budgets.set(settingOf(run), (budgets.get(settingOf(run)) ?? 0) + 1);
  const most = Math.max(0, ...budgets.values());
  return runs.filter((run) => budgets.get(settingOf(run)) === most);
}

/** Where a label is above every bar of a series and above what was published. */
function highest(
  values: readonly { series: string; composite: number; high: number | null }[],
  title: string,
  published: number,
): number {
  const own = values.filter(({ series }) => series === title);
  return Math.max(published, ...own.map(({ composite, high }) => high ?? composite));
}

/** Dashed lines over the columns of a system, at the least and the most that was published. */
function publishedRanges(
  published: readonly { series: string; label: string; least: number; most: number; labelAt: number }[],
  x: { readonly field: 'series'; readonly type: 'nominal'; readonly sort: string[] },
): Layer[] {
  const lines = published.flatMap((range) => [
    { ...range, at: range.least },
    { ...range, at: range.most },
  ]);
  const dashed = { color: PAPER_COLOR, strokeDash: [5, 4], strokeWidth: 1.4 };
  return [
    ...layerOf(lines, {
      mark: { type: 'rule', ...dashed },
      encoding: {
        x: { ...x, bandPosition: 0 },
        x2: { field: 'series', bandPosition: 1 },
        y: { field: 'at', type: 'quantitative' },
      },
    }),
    ...layerOf(published, {
      mark: { type: 'text', color: PAPER_COLOR, fontSize: 10, baseline: 'bottom', dy: -3 },
      encoding: { x, y: { field: 'labelAt', type: 'quantitative' }, text: { field: 'label' } },
    }),
  ];
}
