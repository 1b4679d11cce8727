// What a build will need, worked out before it starts: memory by stage, partitions, disk space. It refuses what cannot
// end well.

import { statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Encoder } from '../../src/codecs/codec.ts';
import { clusterCount } from '../../src/index/ecp.ts';
import { IndexError } from '../../src/index/format.ts';
import type { VectorReader } from '../readers/reader.ts';
import { partitionSlots } from './pack.ts';
import { sampleSize } from './sample.ts';

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
  /** Scratch of the largest modality and everything that is written. */
  readonly diskBytes: number;
  readonly freeBytes: number;
}

/** The process itself: Node, the addon, buffers of one part. */
const BASE_BYTES = 256 * 2 ** 20;
/** What one part being encoded or assigned takes, over all its forms. */
const PART_FORMS_BYTES = 128 * 2 ** 20;
/** A representative while it is refined: before, after, and prepared for assignment (twice its size). */
const REPRESENTATIVE_FORMS = 4;
/** A partition smaller than this would read the records too often. */
const LEAST_PARTITION_BYTES = 16 * 2 ** 20;
/** What one typed array holds, less than Node's 4 GiB. */
const MOST_PARTITION_BYTES = 2 ** 32 - 2 ** 20;
/** Numbers of four bytes held per item when sections are written: slots, then items and one of them packed. */
const WRITE_NUMBERS_BYTES = 12;
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

/** Throws IndexError when the memory cannot hold the smallest way to build. */
export function planBuild(
  modalities: readonly PlannedModality[],
  out: string,
  clusterSize: number,
  memoryBytes: number,
): Plan {
  const plans = modalities.map((modality) => planModality(modality, clusterSize, memoryBytes));
  const written = plans.reduce((sum, plan) => sum + plan.outputBytes, 0);
  const scratch = plans.reduce((most, plan) => Math.max(most, plan.scratchBytes), 0);
  return {
    memoryBytes,
    items: plans[0]?.items ?? 0,
    modalities: plans,
    diskBytes: written + scratch + DISK_MARGIN_BYTES,
    freeBytes: freeBytes(out),
  };
}

/** Throws IndexError when the file system has less room than what is still to be written. */
export function requireSpace(plan: Plan, out: string, writtenBytes: number): void {
  const needed = plan.diskBytes - writtenBytes;
  if (needed <= plan.freeBytes) return;
  throw new IndexError(
    `${out}: the build needs ${size(needed)} of disk and ${size(plan.freeBytes)} are free; ` +
      'free space, or choose an --out on another disk',
  );
}

/** The plan in lines for people. */
export function describePlan(plan: Plan): string[] {
  return [
    `plan: ${plan.items} items, memory ${size(plan.memoryBytes)}, disk ${size(plan.diskBytes)} of ${size(plan.freeBytes)} free`,
    ...plan.modalities.map((modality) => {
      const { encode, cluster, assign, write } = modality.memory;
      return (
        `plan: ${modality.name}: ${modality.dims} dims, ${modality.recordBytes} bytes a record, ` +
        `sample of ${modality.sampleRows}, ${modality.partitions} partition${modality.partitions === 1 ? '' : 's'}; ` +
        `memory encode ${size(encode)}, cluster ${size(cluster)}, assign ${size(assign)}, write ${size(write)}; ` +
        `scratch ${size(modality.scratchBytes)}, index ${size(modality.outputBytes)}`
      );
    }),
  ];
}

function planModality({ name, reader, encoder }: PlannedModality, clusterSize: number, memory: number): ModalityPlan {
  const items = reader.rows;
  const { sizes } = encoder;
  const clusters = clusterCount(items, clusterSize);
  const sampleRows = sampleSize(items, clusters, sizes.record);
  const encode = BASE_BYTES + PART_FORMS_BYTES;
  const cluster =
    BASE_BYTES + sampleRows * (sizes.record + sizes.row + 16) + clusters * sizes.representative * REPRESENTATIVE_FORMS;
  const assign = encode + clusters * sizes.representative * REPRESENTATIVE_FORMS;
  // Means, variances and their packed forms stay while partitions pass.
  const fixed = BASE_BYTES + PART_FORMS_BYTES + items * WRITE_NUMBERS_BYTES + clusters * sizes.representative * 3;
  const all = items * sizes.record;
  const least = Math.max(encode, cluster, assign, fixed + Math.min(all, LEAST_PARTITION_BYTES));
  if (least > memory) {
    throw new IndexError(
      `modality ${name}: ${items} items need at least ${size(least)} of memory and --memory is ${size(memory)}; ` +
        'give more, or a larger --cluster-size',
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

/** Of the file system that the directory is or will be on. */
function freeBytes(out: string): number {
  for (let directory = resolve(out); ; directory = dirname(directory)) {
    try {
      const { bavail, bsize } = statfsSync(directory);
      return bavail * bsize;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(directory) === directory) {
        throw new IndexError(`${directory}: free space cannot be read (${code}); choose another --out`);
      }
    }
  }
}

/** Bytes for people. */
export function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 1024 ** unit;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
