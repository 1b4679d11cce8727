// Figure 4: what reading more clusters does for precision.

import { clustersAxis, shareAxis } from './axes.ts';
import { chart, type Figure, hasRange, type Layer, layerOf, legend, pointsAndLines, withError } from './figure.ts';
import type { ProtocolRun } from './result-set.ts';
import { type Series, seriesOf } from './systems.ts';

export const precisionByClusters: Figure = {
  name: 'fig4',
  experiment: 'yfcc100m',
  draw(set) {
    const sweep = set.runs.filter(({ system }) => system === 'exquisitor').filter(hasClusters);
    if (sweep.length === 0) return 'no run of exquisitor says its clusters';
    const references = seriesOf(set.runs.filter(({ system }) => system === 'blackthorn'));
    const lines = seriesOf(sweep);
    const all = [...lines, ...references];
    const points = lines.flatMap(({ title, runs }) =>
      runs.map((run) => ({
        series: title,
        b: run.parameters.clusters as number,
        order: run.parameters.clusters as number,
        joined: true,
        precision: run.precision,
        ...withError(run.precision, run.precision_se),
      })),
    );
    const x = clustersAxis(
      'b',
      points.map(({ b }) => b),
    );
    const rounds = Math.max(...sweep.map((run) => run.rounds.length));
    const y = shareAxis('precision', `Precision, mean of ${rounds} rounds`);
    const beside = references.flatMap((series) => series.runs.flatMap((run) => level(run, series, all)));
    return {
      title: 'Figure 4: precision against b',
      caption:
        'Mean precision of a round over the clusters read, per number of segments; bars are one standard error. ' +
        (references.length === 0
          ? 'No run of Blackthorn was given to compare with.'
          : 'The level lines are Blackthorn, which scores every item; its band is one standard error.'),
      spec: chart(set, 'Precision against search expansion', [...beside, ...pointsAndLines(points, x, y, all)]),
    };
  },
};

function hasClusters({ parameters }: ProtocolRun): boolean {
  return typeof parameters.clusters === 'number' && parameters.clusters >= 1;
}

/** A system that does not read clusters: a line across, with the band of its error. */
function level(run: ProtocolRun, { title, color }: Series, all: readonly Series[]): Layer[] {
  const values = [{ series: title, precision: run.precision, ...withError(run.precision, run.precision_se) }];
  return [
    // A colour of its own, not the scale's: the legend would take the faintness over.
    ...layerOf(values.filter(hasRange), {
      mark: { type: 'rect', opacity: 0.12, color },
      encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
    }),
    ...layerOf(values, {
      mark: { type: 'rule', strokeWidth: 1.8 },
      encoding: { y: { field: 'precision', type: 'quantitative' }, color: legend(all).color },
    }),
  ];
}
