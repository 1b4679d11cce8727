// The numbers of IRIS's pictures as Markdown: every measure of every mix at every budget, and the differences that were
// tested.

import { markdownTable, meanText } from './markdown.ts';
import type { ProtocolRun, ResultSet } from './result-set.ts';
import { type Series, titleOf } from './systems.ts';

const MEASURES = [
  { key: 'discovery_rate', title: 'Discovery rate d_r' },
  { key: 'labelling_efficiency', title: 'Labelling efficiency L_e' },
  { key: 'composite', title: 'Composite √(d_r · L_e)' },
] as const;

/** A table for each measure, series by seed budgets; `prefix` is `swept_` for those after the final sweep. */
export function measureTables(series: readonly Series[], budgets: readonly number[], prefix: '' | 'swept_'): string {
  const table = (cellOf: (run: ProtocolRun | undefined) => string): string =>
    markdownTable(
      ['seeds', ...budgets.map(String)],
      series.map(({ title, runs }) => [
        title,
        ...budgets.map((seeds) => cellOf(runs.find(({ parameters }) => parameters.seeds === seeds))),
      ]),
    );
  const labelled = (run: ProtocolRun | undefined): string =>
    run?.measures?.[`${prefix}labelled`]?.mean.toFixed(0) ?? '';
  return [
    ...MEASURES.flatMap(({ key, title }) => [
      `### ${title}`,
      table((run) => meanText(run?.measures?.[`${prefix}${key}`])),
    ]),
    '### Items labelled',
    table(labelled),
  ].join('\n\n');
}

/** The measures of GridS by zeta and N, before the sweep. */
export function gridTable(runs: readonly ProtocolRun[]): string {
  const numbers = (key: string): number[] =>
    [...new Set(runs.map(({ parameters }) => parameters[key] as number))].sort((a, b) => a - b);
  const zetas = numbers('zeta');
  return MEASURES.flatMap(({ key, title }) => [
    `### ${title}`,
    markdownTable(
      ['N', ...zetas.map((zeta) => `ζ = ${zeta}`)],
      numbers('segments').map((segments) => [
        `${segments}`,
        ...zetas.map((zeta) => {
          const run = runs.find(({ parameters }) => parameters.zeta === zeta && parameters.segments === segments);
          return meanText(run?.measures?.[key]);
        }),
      ]),
    ),
  ]).join('\n\n');
}

/** Differences of composites by seed budget, each with its standard error and the p of the paired test over classes. */
export function differenceTable({ differences }: ResultSet): string | null {
  if (differences.length === 0) return null;
  const budgets = [...new Set(differences.map(({ seeds }) => seeds))].sort((a, b) => a - b);
  const moment = (measure: string): string => (measure.startsWith('swept_') ? 'after the sweep' : 'before');
  const nameOf = ({ system, measure, beside, beside_measure, a }: ResultSet['differences'][number]): string => {
    const other = beside === 'spread' ? `${titleOf(beside)}, a = ${a}` : titleOf(beside);
    const when = measure === beside_measure ? [moment(measure)] : [moment(measure), moment(beside_measure)];
    return `${titleOf(system)} − ${other}, ${when.join(' − ')}`;
  };
  const rows = new Map<string, Map<number, string>>();
  for (const difference of differences) {
    const row = rows.get(nameOf(difference)) ?? new Map<number, string>();
    const { seeds, mean, se, p } = difference;
    rows.set(nameOf(difference), row.set(seeds, `${mean.toFixed(3)} ± ${se.toFixed(3)}, ${pText(p)}`));
  }
  const cells = (row: ReadonlyMap<number, string>): string[] => budgets.map((seeds) => row.get(seeds) ?? '');
  return [
    '### Differences of composites',
    'Means over classes, ± standard error, p of the sign-flip test in pairs over classes.',
    markdownTable(
      ['seeds', ...budgets.map(String)],
      [...rows].map(([name, row]) => [name, ...cells(row)]),
    ),
  ].join('\n\n');
}

function pText(p: number): string {
  return p < 0.001 ? 'p < .001' : `p = ${p.toFixed(3).replace(/^0/, '')}`;
}
