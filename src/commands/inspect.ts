// farsight inspect

import { type IndexReport, inspectIndex, type ModalityReport } from '../index/inspect.ts';
import { type Command, directoryArgument, parseFlags, print } from './command.ts';

export const inspect: Command = {
  summary: 'print what an index holds',
  help: `farsight inspect DIR [--json]

Prints counts, eCP levels, cluster sizes, codecs, errors, duplicates, unreachable items and bytes.

  --json    print the report as JSON`,

  async run(args) {
    const { values, positionals } = parseFlags(args, { json: { type: 'boolean' } });
    const report = inspectIndex(directoryArgument(positionals));
    print(values.json ? JSON.stringify(report) : textOf(report));
    return 0;
  },
};

function textOf(report: IndexReport): string {
  return [
    `items        ${report.items}`,
    `generation   ${report.generation}`,
    `bytes        ${report.bytes} (${report.bytes_per_item.toFixed(1)} per item)`,
    `built with   ${Object.entries(report.build)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}, seed ${report.seed}`,
    ...report.modalities.flatMap(modalityLines),
    'sections',
    ...report.sections.map(({ name, bytes }) => `  ${name.padEnd(34)} ${bytes}`),
  ].join('\n');
}

function modalityLines({ cluster_sizes: sizes, statistics, ...modality }: ModalityReport): string[] {
  const quantiles = Object.entries(sizes.quantiles).map(([name, size]) => `${name} ${size}`);
  return [
    `modality     ${modality.name}`,
    `  codec            ${modality.codec}, ${modality.dims} dims, ${modality.normalize ? 'unit length' : 'as given'}`,
    `  bytes per item   ${modality.bytes_per_item.toFixed(1)}`,
    `  levels           ${modality.levels.join(' < ')}`,
    `  cluster sizes    mean ${sizes.mean.toFixed(1)}, deviation ${sizes.deviation.toFixed(1)}, ${quantiles.join(', ')}, ` +
      `largest ${sizes.largest}`,
    `  clusters         ${modality.clusters}, ${statistics.empty_clusters} empty, ${statistics.huge_clusters} huge`,
    `  unreachable      ${statistics.unreachable_items} items in huge clusters, read only when all clusters are`,
    `  duplicates       ${statistics.duplicates}`,
    `  zero vectors     ${statistics.zero_vectors}`,
    `  value error      at most ${statistics.max_value_error.toPrecision(3)}`,
    `  assignment       ${(100 * statistics.assign_agreement).toFixed(1)} % of sampled items with their exactly nearest cluster`,
  ];
}
