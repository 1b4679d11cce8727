// Builds an index: plan → attach → per modality encode, cluster, assign, write → grid → measure quality → put in place.

import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { CodecError, OptionError } from '../src/codecs/codec.ts';
import { codecFor } from '../src/codecs/registry.ts';
import { clusterCount, sizeLimit } from '../src/index/ecp.ts';
import {
  decodeManifest,
  encodeManifest,
  FORMAT_VERSION,
  type Manifest,
  type ModalityManifest,
} from '../src/index/format.ts';
import { defaultQueries } from '../src/quality.ts';
import { type ModalitySpec, requireUsed } from './modality-spec.ts';
import { openReader } from './readers/open-reader.ts';
import type { VectorReader } from './readers/reader.ts';
import { assignBySize } from './stages/assign.ts';
import { type Attachments, parseColumn, writeAttachments } from './stages/attach.ts';
import { dropGarbage } from './stages/garbage.ts';
import { writeGrid, writesGrid } from './stages/grid.ts';
import { buildModality, type ModalityHead } from './stages/modality.ts';
import { defaultMemory, type Plan, type PlannedModality, planBuild, requireSpace } from './stages/plan.ts';
import { measureQuality } from './stages/quality.ts';
import { sourceFiles, versionOf } from './stages/source.ts';
import { type Assign, type Progress, UNITS } from './stages/stage.ts';
import { unfinished } from './stages/unfinished.ts';
import { type Identity, Workspace } from './stages/workspace.ts';

export interface BuildOptions extends Attachments {
  readonly out: string;
  readonly modalities: readonly ModalitySpec[];
  readonly seed: number;
  /** Items per cluster wanted. */
  readonly clusterSize: number;
  /** Left out: exact where that is cheap, else tree. */
  readonly assign?: Assign;
  /** Lloyd passes; 0 is the papers' form. */
  readonly refine: number;
  /** Groups of clusters to begin with, 0 for none; left out: see defaultGroups in ecp.ts. */
  readonly groups?: number;
  /** Clusters of more items are omitted from a round unless all are read; left out: see sizeLimit in ecp.ts. */
  readonly sizeLimit?: number;
  readonly threads: number;
  /** What the build may hold in memory; left out: half of the machine's. */
  readonly memoryBytes?: number;
  /** Go on from what an earlier build of the same index left. */
  readonly resume?: boolean;
  /** Rows between two points to go on from. */
  readonly checkpointRows?: number;
  /** Hyperplanes of each kind that the finished index is measured by, 0 for none; left out: see defaultQueries. */
  readonly qualityQueries?: number;
  /** Whether to write the cells of the grid sampler; left out: where the collection is too large to find them in a round. */
  readonly grid?: boolean;
}

export const BUILD_DEFAULTS = { seed: 0, clusterSize: 100, refine: 3 } as const;

/** At the rates of a build some seconds of work. */
const CHECKPOINT_ROWS = 1 << 22;

/**
 * Builds and puts in place the index `options.out`. Throws InputError, CodecError or IndexError for input it refuses;
 * then, and when the process dies, `out` is what it was before.
 */
export async function buildIndex(
  options: BuildOptions,
  onProgress: (progress: Progress) => void,
  onPlan: (plan: Plan) => void = () => {},
): Promise<Manifest> {
  const readers = await openAll(options.modalities);
  try {
    const modalities = options.modalities.map(({ name, options: keys }, i): PlannedModality => {
      const reader = readers[i] as VectorReader;
      return { name, reader, encoder: codecFor(keys, reader).encoder(reader, keys) };
    });
    const { clusterSize, memoryBytes = defaultMemory(), threads } = options;
    const plan = planBuild(modalities, options, clusterSize, memoryBytes, threads);
    onPlan(plan);
    const workspace = new Workspace(options.out, identityOf(options, readers), options.resume ?? false);
    try {
      requireSpace(plan, options.out, workspace.bytes());
      return await buildInto(workspace, modalities, plan, options, onProgress);
    } catch (error) {
      throw unfinished(error, workspace, plan);
    }
  } finally {
    for (const reader of readers) reader.close();
  }
}

async function buildInto(
  workspace: Workspace,
  modalities: readonly PlannedModality[],
  plan: Plan,
  options: BuildOptions,
  onProgress: (progress: Progress) => void,
): Promise<Manifest> {
  const { seed, clusterSize, refine, threads } = options;
  const { items } = plan;
  const limit = options.sizeLimit ?? sizeLimit(items, clusterSize);
  const assign = options.assign ?? assignBySize(items, clusterCount(items, clusterSize));
  if (!workspace.attached) {
    workspace.recordAttached(await writeAttachments(workspace.index, options, items));
  }
  const manifests: ModalityManifest[] = [];
  for (const [i, modality] of modalities.entries()) {
    const spec = options.modalities[i] as ModalitySpec;
    const manifest = await buildModality(
      modality,
      plan.modalities[i] as Plan['modalities'][number],
      (hashed) => headOf(spec, modality, hashed),
      {
        modality: modality.name,
        workspace,
        seed,
        clusterSize,
        assign,
        refine,
        ...(options.groups === undefined ? {} : { groups: options.groups }),
        sizeLimit: limit,
        threads,
        checkpointRows: options.checkpointRows ?? CHECKPOINT_ROWS,
        onProgress: (stage, done, total) =>
          onProgress({ modality: modality.name, stage, done, total, unit: UNITS[stage] }),
      },
    );
    manifests.push(manifest);
    dropGarbage();
  }
  const build = { cluster_size: clusterSize, assign, refine, size_limit: limit };
  const parts = { seed, items, build, modalities: manifests };
  const grid = writesGrid(options.grid, items)
    ? writeGrid(decodeManifest(encodeManifest(bodyOf({ ...parts, sections: [...workspace.sections] })), options.out), {
        workspace,
        threads,
        onProgress: (done, total) => onProgress({ modality: 'all', stage: 'grid', done, total, unit: UNITS.grid }),
      })
    : null;
  dropGarbage();
  const body = bodyOf({ ...parts, ...(grid === null ? {} : { grid }), sections: [...workspace.sections] });
  const quality = measureQuality(decodeManifest(encodeManifest(body), options.out), {
    workspace,
    queries: options.qualityQueries ?? defaultQueries(items),
    threads,
    onProgress: (modality, done, total) => onProgress({ modality, stage: 'quality', done, total, unit: UNITS.quality }),
  });
  return workspace.commit(encodeManifest(quality === null ? body : { ...body, quality }));
}

/** A manifest but for its quality and checksum. */
function bodyOf(content: Omit<Manifest, 'format' | 'version' | 'generation' | 'quality' | 'checksum'>) {
  const generation = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
  return { format: 'farsight-index', version: FORMAT_VERSION, generation, ...content } as const;
}

function headOf(
  { options }: ModalitySpec,
  { reader }: PlannedModality,
  onHashed: (bytes: number, total: number) => void,
): ModalityHead {
  const codec = codecFor(options, reader).name;
  return { codec, source: { files: sourceFiles(reader.files, onHashed), options: sourceOptions(options) } };
}

/** What makes the same index: everything but threads, memory and the way assignment is named. */
function identityOf(options: BuildOptions, readers: readonly VectorReader[]): Identity {
  const { seed, clusterSize, assign, refine, groups, sizeLimit, qualityQueries, ids, metadata, thumbnails } = options;
  const identity: Record<string, string> = {
    'the format version': `${FORMAT_VERSION}`,
    '--seed': `${seed}`,
    '--cluster-size': `${clusterSize}`,
    '--assign': `${assign ?? 'by size'}`,
    '--refine': `${refine}`,
    '--groups': `${groups ?? 'by size'}`,
    '--size-limit': `${sizeLimit ?? 'by size'}`,
    '--quality-queries': `${qualityQueries ?? 'by size'}`,
    'the grid': `${options.grid ?? 'by size'}`,
  };
  options.modalities.forEach((spec, i) => {
    identity[`--modality ${spec.name}`] = [
      resolve(spec.path),
      ...[...spec.options].map(([k, v]) => `${k}=${v}`),
    ].join();
    for (const path of readers[i]?.files ?? []) identity[path] = versionOf(path);
  });
  for (const [flag, path] of Object.entries({ ids, metadata, thumbnails })) {
    if (path !== undefined) identity[`--${flag} ${path}`] = versionOf(parseColumn(path).path);
  }
  return identity;
}

/** Opens every input and checks that they belong together. */
async function openAll(specs: readonly ModalitySpec[]): Promise<VectorReader[]> {
  const names = new Set<string>();
  for (const { name } of specs) {
    if (names.has(name)) throw new OptionError(`--modality ${name}: named twice; every modality has its own name`);
    names.add(name);
  }
  const readers: VectorReader[] = [];
  try {
    for (const spec of specs) {
      const { reader, keys } = await openReader(spec.path, spec.options);
      readers.push(reader);
      requireUsed(spec, ['codec', ...keys, ...codecFor(spec.options, reader).optionKeys]);
      const [first] = readers as [VectorReader];
      if (reader.rows !== first.rows) {
        throw new CodecError(
          `--modality ${spec.name}: ${reader.rows} vectors in ${spec.path}, but ${specs[0]?.name} has ${first.rows}; ` +
            'row i of every modality describes item i',
        );
      }
    }
  } catch (error) {
    for (const reader of readers) reader.close();
    throw error;
  }
  return readers;
}

/** The options without paths: those files are listed by content, and moved input makes the same index. */
function sourceOptions(options: ModalitySpec['options']): Record<string, string> {
  return Object.fromEntries([...options].filter(([key]) => key !== 'ids'));
}
