// Builds an index: read and encode → cluster → write, modality by modality, then what belongs to the items.

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { CodecError, OptionError } from '../src/codecs/codec.ts';
import { codecFor } from '../src/codecs/registry.ts';
import { sizeLimit } from '../src/index/ecp.ts';
import { FORMAT_VERSION, type Manifest, type ModalityManifest } from '../src/index/format.ts';
import { native } from '../src/native.ts';
import { type ModalitySpec, requireUsed } from './modality-spec.ts';
import { openReader } from './readers/open-reader.ts';
import type { VectorReader } from './readers/reader.ts';
import { type Attachments, writeAttachments } from './stages/attach.ts';
import { type Assign, clusterRows } from './stages/cluster.ts';
import { modalityStatistics } from './stages/statistics.ts';
import { IndexWriter } from './stages/write.ts';

export interface BuildOptions extends Attachments {
  readonly out: string;
  readonly modalities: readonly ModalitySpec[];
  readonly seed: number;
  /** Items per cluster wanted. */
  readonly clusterSize: number;
  readonly assign: Assign;
  /** Lloyd passes; 0 is the papers' form. */
  readonly refine: number;
  /** Clusters of more items are omitted from a round unless all are read; left out: see sizeLimit in ecp.ts. */
  readonly sizeLimit?: number;
  readonly threads: number;
}

export const BUILD_DEFAULTS = { seed: 0, clusterSize: 100, assign: 'exact', refine: 3 } as const;

/** One step of a build, for a progress line. */
export interface Progress {
  readonly modality: string;
  readonly stage: 'encode' | 'cluster' | 'write';
  readonly done: number;
  readonly total: number;
  readonly unit: 'vectors' | 'passes' | 'sections';
}

const UNITS = { encode: 'vectors', cluster: 'passes', write: 'sections' } as const;

/**
 * Builds and puts in place the index `options.out`. Throws InputError, CodecError or IndexError for input it refuses;
 * then, and when the process dies, `out` is what it was before.
 */
export function buildIndex(options: BuildOptions, onProgress: (progress: Progress) => void): Manifest {
  const readers = openAll(options.modalities);
  try {
    const items = (readers[0] as VectorReader).rows;
    const writer = new IndexWriter(options.out);
    try {
      writeAttachments(writer, options, items);
      const limit = options.sizeLimit ?? sizeLimit(items, options.clusterSize);
      const modalities = options.modalities.map((spec, i) =>
        buildModality(
          writer,
          spec,
          readers[i] as VectorReader,
          { ...options, sizeLimit: limit },
          (stage, done, total) => onProgress({ modality: spec.name, stage, done, total, unit: UNITS[stage] }),
        ),
      );
      return writer.commit({
        format: 'farsight-index',
        version: FORMAT_VERSION,
        seed: options.seed,
        items,
        build: {
          cluster_size: options.clusterSize,
          assign: options.assign,
          refine: options.refine,
          size_limit: limit,
        },
        modalities,
      });
    } catch (error) {
      writer.abandon();
      throw error;
    }
  } finally {
    for (const reader of readers) reader.close();
  }
}

/** Opens every input and checks that they belong together. */
function openAll(specs: readonly ModalitySpec[]): VectorReader[] {
  const names = new Set<string>();
  for (const { name } of specs) {
    if (names.has(name)) throw new OptionError(`--modality ${name}: named twice; every modality has its own name`);
    names.add(name);
  }
  const readers: VectorReader[] = [];
  try {
    for (const spec of specs) {
      const { reader, keys } = openReader(spec.path, spec.options);
      readers.push(reader);
      requireUsed(spec, ['codec', ...keys, ...codecFor(spec.options.get('codec'), reader).optionKeys]);
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

function buildModality(
  writer: IndexWriter,
  spec: ModalitySpec,
  reader: VectorReader,
  options: BuildOptions & { readonly sizeLimit: number },
  onProgress: (stage: Progress['stage'], done: number, total: number) => void,
): ModalityManifest {
  const codec = codecFor(spec.options.get('codec'), reader);
  let read = 0;
  const rows = codec.encode(reader, spec.options, (count) => {
    read += count;
    onProgress('encode', read, 2 * reader.rows);
  });
  const clustering = clusterRows(rows, { ...options, stream: spec.name }, (pass, passes) =>
    onProgress('cluster', pass + 1, passes + 1),
  );
  const packed = rows.pack(clustering.order, clustering.representatives, clustering.spread);
  const { order, starts, levels } = clustering;
  const sections = [
    ...packed.sections,
    { suffix: 'items', bytes: packedNumbers(order) },
    { suffix: 'slots', bytes: packedNumbers(inverse(order)) },
    { suffix: 'starts', bytes: bytesOf(starts) },
    { suffix: 'nodes', bytes: bytesOf(levels.nodes) },
    { suffix: 'parents', bytes: bytesOf(levels.parents) },
  ];
  sections.forEach(({ suffix, bytes }, i) => {
    writer.section(`${spec.name}.${suffix}`, bytes);
    onProgress('write', i + 1, sections.length);
  });
  return {
    name: spec.name,
    dims: rows.dims,
    normalize: rows.normalize,
    codec: codec.name,
    ...packed.manifest,
    clusters: starts.length - 1,
    spread: clustering.spread !== null,
    levels: Array.from(levels.levelSizes),
    statistics: modalityStatistics(rows, clustering, options.sizeLimit),
    source: { files: reader.files.map(sourceFile), options: sourceOptions(spec) },
  };
}

/** Slot of each item, from the item of each slot. */
function inverse(order: Uint32Array): Uint32Array {
  const slots = new Uint32Array(order.length);
  order.forEach((item, slot) => {
    slots[item] = slot;
  });
  return slots;
}

/** Item or slot numbers as the format has them. */
function packedNumbers(numbers: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(native.packedBytes(numbers.length, numbers.length));
  native.packNumbers(numbers, numbers.length, bytes);
  return bytes;
}

function bytesOf(numbers: Uint32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** The options without paths: those files are listed by content, and moved input makes the same index. */
function sourceOptions(spec: ModalitySpec): Record<string, string> {
  return Object.fromEntries([...spec.options].filter(([key]) => key !== 'ids'));
}

/** Name, size and SHA-256 of an input file: what the index was made of. */
function sourceFile(path: string): ModalityManifest['source']['files'][number] {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, 'r');
  let bytes = 0;
  try {
    for (;;) {
      const read = readSync(file, buffer, 0, buffer.length, null);
      if (read === 0) break;
      hash.update(buffer.subarray(0, read));
      bytes += read;
    }
  } finally {
    closeSync(file);
  }
  return { name: basename(path), bytes, sha256: hash.digest('hex') };
}
