// Figure 2: precision of every system, for concepts that the index knows and for those taken out of it.

import { shareAxis } from './axes.ts';
import { chart, type Figure, hasRange, layerOf, withError } from './figure.ts';
import type { ProtocolRun } from './result-set.ts';
import { KNOWN_COLOR, runLabels, UNKNOWN_COLOR } from './systems.ts';

const KNOWN = 'known concept';
const UNKNOWN = 'unknown concept';
const COLUMN_WIDTH = 110;

export const precisionBySystem: Figure = {
  name: 'fig2',
  experiment: 'imagenet',
  draw(set) {
    const columns = columnsOf(set.runs);
    const values = columns.map(({ run, label }) => ({
      label,
      concept: run.protocol === 'imagenet' ? KNOWN : UNKNOWN,
      precision: run.precision,
      ...withError(run.precision, run.precision_se),
    }));
    const labels = [...new Set(columns.map(({ label }) => label))];
    const concepts = [KNOWN, UNKNOWN].filter((concept) => values.some((value) => value.concept === concept));
    const rounds = Math.max(...set.runs.map((run) => run.rounds.length));
    const y = shareAxis('precision', `Precision, mean of ${rounds} rounds`);
    const x = { field: 'label', type: 'nominal', title: null, sort: labels, axis: { labelAngle: 0 } } as const;
    const xOffset = { field: 'concept', type: 'nominal', sort: concepts } as const;
    const color = {
      field: 'concept',
      type: 'nominal',
      title: null,
      scale: { domain: concepts, range: concepts.map((concept) => (concept === KNOWN ? KNOWN_COLOR : UNKNOWN_COLOR)) },
    } as const;
    return {
      title: 'Figure 2: precision of each system',
      caption:
        'Mean precision over all rounds and actors; bars are one standard error. For an unknown concept the feature ' +
        'that names it was set to 0 in every item before indexing.',
      spec: chart(
        set,
        'Precision by system',
        [
          { data: { values }, mark: { type: 'bar' }, encoding: { x, xOffset, y, color } },
          ...layerOf(values.filter(hasRange), {
            mark: { type: 'rule', strokeWidth: 1.4, color: 'black' },
            encoding: { x, xOffset, y: { ...y, field: 'low' }, y2: { field: 'high' } },
          }),
        ],
        Math.max(360, labels.length * COLUMN_WIDTH),
      ),
    };
  },
};

/** A column per run; the same system and parameters have one label under both protocols. */
function columnsOf(runs: readonly ProtocolRun[]): readonly { readonly run: ProtocolRun; readonly label: string }[] {
  return [...runLabels(runs)].map(([run, label]) => ({ run, label }));
}
