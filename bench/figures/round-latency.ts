// Table 1: latency of a round, per system.

import { type Figure, frame } from './figure.ts';
import { markdownTable } from './markdown.ts';
import { IMAGENET_ITEMS, IMAGENET_LATENCIES } from './paper.ts';
import { runLabels } from './systems.ts';

const COLUMN_WIDTH = 140;
const ROW_HEIGHT = 28;

export const roundLatency: Figure = {
  name: 'table1',
  experiment: 'imagenet',
  draw(set) {
    const known = set.runs.filter(({ protocol }) => protocol === 'imagenet');
    const runs = known.length > 0 ? known : set.runs;
    const columns = ['mean, ms', 'p50, ms', 'p95, ms', 'p99, ms', 'paper, ms'];
    const rows = [...runLabels(runs)].map(([{ system, latency_ms }, label]) => ({
      label,
      cells: [
        ...[latency_ms.mean, latency_ms.p50, latency_ms.p95, latency_ms.p99].map((ms) => ms.toPrecision(3)),
        IMAGENET_LATENCIES[system] ?? '–',
      ],
    }));
    const values = rows.flatMap(({ label, cells }) =>
      cells.map((text, c) => ({ label, column: columns[c] as string, text })),
    );
    const y = {
      field: 'label',
      type: 'nominal',
      sort: rows.map(({ label }) => label),
      title: null,
      axis: { domain: false, ticks: false, labelPadding: 10 },
    } as const;
    return {
      title: 'Table 1: latency of a round',
      caption:
        `Training included, over all rounds and actors. "paper" is what Exquisitor's table 1 reports on ` +
        `${IMAGENET_ITEMS.toLocaleString('en')} items and its own machine.`,
      spec: {
        ...frame(set, 'Latency of a round'),
        width: columns.length * COLUMN_WIDTH,
        height: rows.length * ROW_HEIGHT,
        data: { values },
        mark: { type: 'text', fontSize: 13 },
        encoding: {
          x: {
            field: 'column',
            type: 'nominal',
            sort: columns,
            title: null,
            axis: {
              orient: 'top',
              labelAngle: 0,
              domain: true,
              ticks: false,
              labelPadding: 8,
              labelFontWeight: 'bold',
            },
          },
          y,
          text: { field: 'text' },
        },
      },
      markdown: markdownTable(
        ['system', ...columns],
        rows.map(({ label, cells }) => [label, ...cells]),
      ),
    };
  },
};
