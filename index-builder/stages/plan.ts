// What a build will need, worked out before it starts: memory by stage, partitions, disk space. It refuses what cannot
// end well.

import { totalmem } from 'node:os';
import type { Encoder } from '../../src/codecs/codec.ts';
import { clusterCount } from '../../src/index/ecp.ts';
import { IndexError } from '../../src/index/format.ts';
import { defaultQueries, LEAST_ITEMS } from '../../src/quality.ts';
import type { VectorReader } from '../readers/reader.ts';
import { type Attachments, attachedBytes } from './attach.ts';
import { freeBytes } from './disk.ts';
import { gridBytes, writesGrid } from './grid.ts';
import { partitionSlots } from './pack.ts';
import { sampleSize } from './sample.ts';
import { size } from './size.ts';

export interface ModalityPlan {
  readonly name: string;
  readonly items: number;
  readonly dims: number;
  readonly recordBytes: number;
  readonly sampleRows: number;
  readonly partitions: number;
  readonly partitionBytes: number;
  /** Bytes that each stage holds at most. */
  readonly memory: {
    readonly encode: number;
    readonly cluster: number;
    readonly assign: number;
    readonly write: number;
  };
  readonly scratchBytes: number;
  readonly outputBytes: number;
}

export interface Plan {
  readonly memoryBytes: number;
  readonly items: number;
  readonly modalities: readonly ModalityPlan[];
  /** What reading keys and metadata holds. */
  readonly attachBytes: number;
  /** Scratch of the largest modality and everything that is written. */
  readonly diskBytes: number;
  /**
   * Of the new index, which is mapped and read at the end: resident while there is room, but pages of files, which the
   * system drops when memory is short.
   */
  readonly mappedBytes: number;
}

/** The process itself: Node, the addon, buffers of one part. */
const BASE_BYTES = 256 * 2 ** 20;
/** What one part being encoded or assigned takes, over all its forms. */
const PART_FORMS_BYTES = 128 * 2 ** 20;
/** A representative while it is refined: before, after, and prepared for assignment (twice its size). */
const REPRESENTATIVE_FORMS = 4;
/** The largest group of representatives is about so many times the mean one, and there are as many groups as that has. */
const LARGEST_GROUP = 4;
/** Lloyd sums in double, and postings touched by a row: bytes per feature and per representative. */
const THREAD_FEATURE_BYTES = 16;
const THREAD_CLUSTER_BYTES = 12;
/** A partition smaller than this would read the records too often. */
const LEAST_PARTITION_BYTES = 16 * 2 ** 20;
/** What one typed array holds, less than Node's 4 GiB. */
const MOST_PARTITION_BYTES = 2 ** 32 - 2 ** 20;
/** Numbers of four bytes held per item when sections are written: slots, then items and one of them packed. */
const WRITE_NUMBERS_BYTES = 12;
/** Representatives while partitions pass: as learned, in the order of groups, as means, and their variances. */
const WRITE_REPRESENTATIVES = 4;
/** Directories, headers and manifests. */
const DISK_MARGIN_BYTES = 2 ** 20;

export function defaultMemory(): number {
  return Math.floor(totalmem() / 2);
}

export interface PlannedModality {
  readonly name: string;
  readonly reader: VectorReader;
  readonly encoder: Encoder;
}

/** What is written and measured beside the modalities. */
export interface Extras extends Attachments {
  readonly grid?: boolean;
  readonly qualityQueries?: number;
}

/** Throws IndexError when the memory cannot hold the smallest way to build. */
export function planBuild(
  modalities: readonly PlannedModality[],
  extras: Extras,
  clusterSize: number,
  memoryBytes: number,
  threads: number,
): Plan {
  const plans = modalities.map((modality) => planModality(modality, clusterSize, memoryBytes, threads));
  const items = plans[0]?.items ?? 0;
  const attached = attachedBytes(extras, items);
  for (const { path, held } of attached) {
    if (BASE_BYTES + held <= memoryBytes) continue;
    throw new IndexError(
      `${path}: reading it takes about ${size(BASE_BYTES + held)} of memory and --memory is ${size(memoryBytes)}; ` +
        'give more, or build without it',
    );
  }
  const output = plans.reduce((sum, plan) => sum + plan.outputBytes, 0);
  const grid = writesGrid(extras.grid, items);
  const measured = items >= LEAST_ITEMS && (extras.qualityQueries ?? defaultQueries(items)) > 0;
  const scratch = plans.reduce((most, plan) => Math.max(most, plan.scratchBytes), 0);
  return {
    memoryBytes,
    items,
    modalities: plans,
    attachBytes: attached.reduce((most, { held }) => Math.max(most, BASE_BYTES + held), 0),
    diskBytes:
      output +
      (grid ? gridBytes(items) : 0) +
      scratch +
      attached.reduce((sum, { kept }) => sum + kept, 0) +
      DISK_MARGIN_BYTES,
    mappedBytes: grid || measured ? output : 0,
  };
}

/** Throws IndexError when the file system has less room than what is still to be written. */
export function requireSpace(plan: Plan, out: string, writtenBytes: number): void {
  const needed = plan.diskBytes - writtenBytes;
  const free = freeBytes(out);
  if (needed <= free) return;
  throw new IndexError(
    `${out}: the build needs ${size(needed)} of disk and ${size(free)} are free; ` +
      'free space, or choose an --out on another disk',
  );
}

/** The plan in lines for people. */
export function describePlan(plan: Plan): string[] {
  return [
    `plan: ${plan.items} items, memory ${size(plan.memoryBytes)}, disk ${size(plan.diskBytes)}` +
      (plan.attachBytes === 0 ? '' : `; memory for keys and metadata ${size(plan.attachBytes)}`),
    ...plan.modalities.map((modality) => {
      const { encode, cluster, assign, write } = modality.memory;
      return (
        `plan: ${modality.name}: ${modality.dims} dims, ${modality.recordBytes} bytes a record, ` +
        `sample of ${modality.sampleRows}, ${modality.partitions} partition${modality.partitions === 1 ? '' : 's'}; ` +
        `memory encode ${size(encode)}, cluster ${size(cluster)}, assign ${size(assign)}, write ${size(write)}; ` +
        `scratch ${size(modality.scratchBytes)}, index ${size(modality.outputBytes)}`
      );
    }),
    ...(plan.mappedBytes === 0
      ? []
      : [`plan: index mapped for grid and quality: ${size(plan.mappedBytes)}, which the system may drop, not counted`]),
  ];
}

function planModality(
  { name, reader, encoder }: PlannedModality,
  clusterSize: number,
  memory: number,
  threads: number,
): ModalityPlan {
  const items = reader.rows;
  const { sizes } = encoder;
  const clusters = clusterCount(items, clusterSize);
  const sampleRows = sampleSize(items, clusters, sizes.record);
  const encode = BASE_BYTES + PART_FORMS_BYTES + reader.heldBytes;
  const assigning = clusters * sizes.representative * REPRESENTATIVE_FORMS + assignBytes(reader, clusters, threads);
  const cluster = BASE_BYTES + sampleRows * (sizes.record + sizes.row + 16) + assigning;
  const assign = BASE_BYTES + PART_FORMS_BYTES + assigning;
  const held = items * WRITE_NUMBERS_BYTES + clusters * sizes.representative * WRITE_REPRESENTATIVES;
  const fixed = BASE_BYTES + PART_FORMS_BYTES + held;
  const all = items * sizes.record;
  const least = Math.max(encode, cluster, assign, fixed + Math.min(all, LEAST_PARTITION_BYTES));
  if (least > memory) {
    throw new IndexError(
      `modality ${name}: ${items} items need at least ${size(least)} of memory and --memory is ${size(memory)}; ` +
        'give more, fewer --threads, or a larger --cluster-size',
    );
  }
  const partitionBytes = Math.min(all, memory - fixed, MOST_PARTITION_BYTES);
  return {
    name,
    items,
    dims: reader.dims,
    recordBytes: sizes.record,
    sampleRows,
    partitions: Math.ceil(items / partitionSlots(items, sizes.record, partitionBytes)),
    partitionBytes,
    memory: { encode, cluster, assign, write: fixed + partitionBytes },
    scratchBytes: items * (sizes.record + 4) + clusters * sizes.representative,
    outputBytes: Math.ceil(items * (sizes.packed + 8) + clusters * (2 * sizes.packedRepresentative + 16)),
  };
}

/**
 * What assignment holds besides representatives: the means of all groups as one panel, and per thread the panel of one
 * group, with two bytes for each of its members and features, and a row's sums.
 */
function assignBytes({ dims }: VectorReader, clusters: number, threads: number): number {
  const group = LARGEST_GROUP * Math.ceil(Math.sqrt(clusters));
  const panel = 2 * (dims + 1) * group;
  return panel + threads * (panel + THREAD_FEATURE_BYTES * dims + THREAD_CLUSTER_BYTES * clusters);
}
