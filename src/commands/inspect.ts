// farsight inspect

import { availableParallelism } from 'node:os';
import type { QualityManifest } from '../index/format.ts';
import { type IndexReport, inspectIndex, type ModalityReport } from '../index/inspect.ts';
import { openIndex } from '../index/open.ts';
import { defaultQueries, LEAST_ITEMS, MAX_QUERIES, measureRecall, QUALITY } from '../quality.ts';
import { type Command, directoryArgument, ProgressLine, parseFlags, print, UsageError, wholeFlag } from './command.ts';

export const inspect: Command = {
  summary: 'print what an index holds',
  help: `farsight inspect DIR [--quality [--quality-queries N]] [--json]

Prints counts, eCP levels, codecs, errors, bytes, and the quality of the index: how even its clusters are, duplicates,
zero vectors, unreachable items, and the recall@${QUALITY.top} of b clusters for SVMs of ${QUALITY.positives} positives that are
near one another (related) or are not (random) and ${QUALITY.negatives} random negatives, with the b to recommend for a mean
recall of ${QUALITY.target}. The build measures that recall.

  --quality             measure the recall now, with the seed of the build; nothing is written
  --quality-queries N   by so many hyperplanes of each kind (default as farsight build)
  --json                print the report as JSON`,

  async run(args) {
    const { values, positionals } = parseFlags(args, {
      quality: { type: 'boolean' },
      'quality-queries': { type: 'string' },
      json: { type: 'boolean' },
    });
    const { 'quality-queries': queries } = values;
    if (queries !== undefined && !values.quality) throw new UsageError('--quality-queries goes with --quality');
    const directory = directoryArgument(positionals);
    const report = inspectIndex(directory);
    const wanted = wholeFlag('quality-queries', queries, defaultQueries(report.items), 1, MAX_QUERIES);
    const shown = values.quality ? { ...report, quality: measuredNow(directory, report, wanted) } : report;
    print(values.json ? JSON.stringify(shown) : textOf(shown));
    return 0;
  },
};

/** What a build with this many queries would have written. Throws when the collection is too small to be measured. */
function measuredNow(directory: string, report: IndexReport, queries: number): QualityManifest {
  if (report.items < LEAST_ITEMS) {
    throw new Error(
      `${directory}: has ${report.items} items, --quality measures ${LEAST_ITEMS} or more; ` +
        'rounds read all clusters of so small an index',
    );
  }
  const collection = openIndex(directory);
  const options = { queries, seed: report.seed, workers: availableParallelism() };
  const progress = new ProgressLine();
  try {
    const modalities = report.modalities.map(({ name, cluster_sizes }) => {
      const modality = collection.modalities.get(name);
      if (modality === undefined) throw new RangeError(`modality ${name} is not part of this collection`);
      const onDone = (done: number): void => progress.report(`${name}: quality`, done, 2 * queries, 'hyperplanes');
      return { name, cluster_sizes, recall: measureRecall(collection, modality, options, onDone) };
    });
    return { ...QUALITY, modalities };
  } finally {
    progress.end();
  }
}

function textOf(report: IndexReport): string {
  return [
    `items        ${report.items}`,
    `generation   ${report.generation}`,
    `bytes        ${report.bytes} (${report.bytes_per_item.toFixed(1)} per item)`,
    `built with   ${Object.entries(report.build)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}, seed ${report.seed}`,
    ...report.modalities.flatMap((modality) => [...modalityLines(modality), ...recallLines(modality.name, report)]),
    ...(report.grid === null
      ? []
      : [`grid         ${report.grid.components} components, ${report.grid.segments} segments each`]),
    'sections',
    ...report.sections.map(({ name, bytes }) => `  ${name.padEnd(34)} ${bytes}`),
  ].join('\n');
}

function modalityLines({ cluster_sizes: sizes, statistics, ...modality }: ModalityReport): string[] {
  const quantiles = Object.entries(sizes.quantiles).map(([name, size]) => `${name} ${size}`);
  return [
    `modality     ${modality.name}`,
    `  codec            ${modality.codec}, ${modality.dims} dims, ${bitsText(modality)}${modality.normalize ? 'unit length' : 'as given'}`,
    `  bytes per item   ${modality.bytes_per_item.toFixed(1)}`,
    `  levels           ${modality.levels.join(' < ')}`,
    `  cluster sizes    mean ${sizes.mean.toFixed(1)}, deviation ${sizes.deviation.toFixed(1)}, ${quantiles.join(', ')}, ` +
      `largest ${sizes.largest}`,
    `  skew             largest ${sizes.largest_to_mean.toFixed(1)} times the mean, Gini ${sizes.gini.toFixed(3)}`,
    `  clusters         ${modality.clusters}, ${statistics.empty_clusters} empty, ${statistics.huge_clusters} huge, ` +
      (modality.groups === null ? 'not grouped' : `in ${modality.groups} groups`),
    `  unreachable      ${statistics.unreachable_items} items in huge clusters, read only when all clusters are`,
    `  duplicates       ${statistics.duplicates}`,
    `  zero vectors     ${statistics.zero_vectors}`,
    `  value error      at most ${statistics.max_value_error.toPrecision(3)}`,
    `  assignment       ${(100 * statistics.assign_agreement).toFixed(1)} % of sampled items with their exactly nearest cluster`,
  ];
}

/** What rabitq stores of a dimension and what its scan reads of that, as bytes_per_item may have chosen it. */
function bitsText({ rabitq, dims }: Pick<ModalityReport, 'rabitq' | 'dims'>): string {
  if (rabitq === null) return '';
  const { bits, full_dims: full, scan_bits: scanned, folded } = rabitq;
  const fewer = full < dims ? ` (${bits - 1} behind the first ${full} dims)` : '';
  const how = folded ? ', folded' : scanned < bits ? `, ${scanned} scanned` : '';
  return `${bits} bit${bits === 1 ? '' : 's'}${fewer}${how}, `;
}

/** Recall by the number of clusters, as a table of its own. */
function recallLines(name: string, { items, quality }: IndexReport): string[] {
  const measured = quality?.modalities.find((modality) => modality.name === name);
  if (quality === null || measured === undefined) {
    const why =
      items < LEAST_ITEMS ? `fewer than ${LEAST_ITEMS} items` : 'left out of the build; --quality does it now';
    return [`  recall           not measured (${why})`];
  }
  const { top, target } = quality;
  const { hyperplanes, by_clusters: rows, recommended_clusters: recommended } = measured.recall;
  const widths = `at b = ${rows[0]?.clusters} to ${rows.at(-1)?.clusters}`;
  return [
    `  recommended      ${recommended === null ? `none: no b to ${rows.at(-1)?.clusters} has` : `b = ${recommended} for`} a mean recall of ${target}`,
    `  recall@${top}       ${widths}, of ${hyperplanes} hyperplanes of each kind: mean ± deviation (least)`,
    `    ${'b'.padStart(6)}  ${'related'.padEnd(20)}  random`,
    ...rows.map(
      ({ clusters, related, random }) =>
        `    ${`${clusters}`.padStart(6)}  ${spreadText(related).padEnd(20)}  ${spreadText(random)}`,
    ),
  ];
}

function spreadText({ mean, deviation, least }: { mean: number; deviation: number; least: number }): string {
  return `${mean.toFixed(3)} ± ${deviation.toFixed(3)} (${least.toFixed(2)})`;
}
