// farsight build

import { availableParallelism } from 'node:os';
import { BUILD_DEFAULTS, buildIndex } from '../../index-builder/main.ts';
import { type ModalitySpec, parseModalitySpec } from '../../index-builder/modality-spec.ts';
import { readerKeys } from '../../index-builder/readers/open-reader.ts';
import { InputError, KeyError } from '../../index-builder/readers/reader.ts';
import { describePlan } from '../../index-builder/stages/plan.ts';
import { OptionError } from '../codecs/codec.ts';
import { codecKeys } from '../codecs/registry.ts';
import type { Manifest } from '../index/format.ts';
import { MAX_QUERIES } from '../quality.ts';
import {
  bytesFlag,
  type Command,
  choiceFlag,
  noArguments,
  ProgressLine,
  parseFlags,
  print,
  UsageError,
  wholeFlag,
} from './command.ts';

const ASSIGNS = ['exact', 'tree', 'hnsw'] as const;

export const build: Command = {
  summary: 'build an index from vectors',
  help: `farsight build --out DIR --modality NAME=PATH[,key=value]… [options]

Builds an index of one or more modalities (row i of each describes item i) and puts it in place in one step: a build
that is killed leaves the old index or none.

  --out DIR               where the index will stand; an index that is there is replaced
  --modality NAME=PATH[,key=value]…
                          vectors, told apart by content: .npy, .npz (array=), .fvecs .bvecs .fbin .u8bin .i8bin,
                          Parquet, Arrow/Feather, CSV, TSV or JSON Lines (column=), HDF5 (dataset=), safetensors
                          (tensor=), a folder in the papers' r64 form; or a pair of these with ids=; repeatable.
                          Keys: codec=ratio|sq8|rabitq  normalize=true|false  features=N (kept per item by ratio)
                          bytes_per_item=N (of dense codes)  bits=1..12  scan_bits=1|2|4 (of rabitq)
                          stored_bits=8..24  representative_features=N  value_divisor=X  ratio_divisor=X
                          rounding=nearest|floor; of r64, where its layout.json does not say them: features,
                          id_bits, value_bits, value_divisor, ratio_bits, ratio_divisor, pad_bits, dims;
                          of pairs: ids=FILE (.ivecs and .ibin too), dims=N, ids_column= ids_dataset= ids_tensor=
                          ids_array=
  --ids FILE[,column=NAME]  external keys, one a line; or a column of a file that --metadata takes
  --metadata FILE         CSV or TSV with a header line, JSON Lines, Parquet or Arrow
  --thumbnails FILE       picture files, one path a line relative to FILE, an empty line for none
  --seed N                seed of every random choice (default ${BUILD_DEFAULTS.seed})
  --cluster-size N        items per cluster wanted (default ${BUILD_DEFAULTS.clusterSize})
  --assign exact|tree|hnsw  how items find their representative (default exact where that is cheap, up to 300,000
                          items in clusters of 100; tree above)
  --refine N              Lloyd passes, 0 is the papers' form (default ${BUILD_DEFAULTS.refine})
  --groups N              groups of near clusters to begin with, of which a round looks at the most promising; 0 for none
                          (default a 256th of the clusters from 200,000 on, none below)
  --size-limit N          clusters of more items are omitted from rounds unless all are read (default 1 % of the items,
                          and at least ten clusters' worth)
  --quality-queries N     hyperplanes of each kind by which the finished index is measured, for the quality report of
                          farsight inspect (default 32, fewer of more than 134 million items); 0 leaves it out
  --threads N             threads that work (default: all cores)
  --memory SIZE           what the build may hold in memory, like 8GiB or 500MB (default: half of the machine's); the
                          plan is printed before it starts. The index does not depend on it
  --resume                go on from what a build of the same index left in DIR.building when it was killed or the disk
                          was full; other options or changed inputs are refused
  --json                  print the manifest as JSON`,

  async run(args) {
    const { values, positionals } = parseFlags(args, {
      out: { type: 'string' },
      modality: { type: 'string', multiple: true },
      ids: { type: 'string' },
      metadata: { type: 'string' },
      thumbnails: { type: 'string' },
      seed: { type: 'string' },
      'cluster-size': { type: 'string' },
      assign: { type: 'string' },
      refine: { type: 'string' },
      groups: { type: 'string' },
      'size-limit': { type: 'string' },
      'quality-queries': { type: 'string' },
      threads: { type: 'string' },
      memory: { type: 'string' },
      resume: { type: 'boolean' },
      json: { type: 'boolean' },
    });
    noArguments(positionals);
    const { out, ids, metadata, thumbnails, groups, 'size-limit': sizeLimit, 'quality-queries': queries } = values;
    if (out === undefined) throw new UsageError('--out DIR is missing');
    const options = {
      out,
      modalities: modalitySpecs(values.modality),
      ...(ids === undefined ? {} : { ids }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(thumbnails === undefined ? {} : { thumbnails }),
      seed: wholeFlag('seed', values.seed, BUILD_DEFAULTS.seed, 0, Number.MAX_SAFE_INTEGER),
      clusterSize: wholeFlag('cluster-size', values['cluster-size'], BUILD_DEFAULTS.clusterSize, 2, 1_000_000),
      ...(values.assign === undefined ? {} : { assign: choiceFlag('assign', values.assign, 'exact', ASSIGNS) }),
      refine: wholeFlag('refine', values.refine, BUILD_DEFAULTS.refine, 0, 100),
      ...(groups === undefined ? {} : { groups: wholeFlag('groups', groups, 0, 0, 65536) }),
      ...(sizeLimit === undefined ? {} : { sizeLimit: wholeFlag('size-limit', sizeLimit, 0, 1, 2 ** 32 - 2) }),
      ...(queries === undefined ? {} : { qualityQueries: wholeFlag('quality-queries', queries, 0, 0, MAX_QUERIES) }),
      threads: wholeFlag('threads', values.threads, availableParallelism(), 1, 256),
      ...(values.memory === undefined ? {} : { memoryBytes: bytesFlag('memory', values.memory) }),
      resume: values.resume ?? false,
    };
    const started = performance.now();
    const progress = new ProgressLine();
    let manifest: Manifest;
    try {
      manifest = await buildIndex(
        options,
        ({ modality, stage, done, total, unit }) => progress.report(`${modality}: ${stage}`, done, total, unit),
        (plan) => process.stderr.write(`${describePlan(plan).join('\n')}\n`),
      );
    } catch (error) {
      throw isOptionMistake(error) ? new UsageError(error.message) : error;
    } finally {
      progress.end();
    }
    const seconds = (performance.now() - started) / 1000;
    if (values.json) print(JSON.stringify(manifest));
    else print(`${out}: ${manifest.items} items, generation ${manifest.generation}, in ${seconds.toFixed(2)} s`);
    return 0;
  },
};

/** Whether what the user asked for is wrong, and not the input. */
function isOptionMistake(error: unknown): error is Error {
  if (error instanceof OptionError || error instanceof KeyError) return true;
  return error instanceof InputError && error.file.startsWith('--modality ');
}

function modalitySpecs(texts: readonly string[] | undefined): ModalitySpec[] {
  if (texts === undefined) throw new UsageError('--modality NAME=PATH is missing: give at least one');
  const knownKeys = [...new Set([...readerKeys, ...codecKeys])];
  try {
    return texts.map((text) => parseModalitySpec(text, knownKeys));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
