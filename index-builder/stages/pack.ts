// The sections of one modality: records to their slots, a partition of slots at a time, then what is known of the final
// clusters from all their members.

import type { Moments, Representatives, Space } from '../../src/codecs/codec.ts';
import type { ModalityManifest, SectionManifest } from '../../src/index/format.ts';
import { native } from '../../src/native.ts';
import { dropGarbage } from './garbage.ts';
import { groupClusters, renumber, startsOfKept } from './groups.ts';
import { levelsOver } from './levels.ts';
import type { ScratchFile } from './scratch.ts';
import { inverse, type OccupiedClusters, slotsInPlace } from './slots.ts';
import { partRows, type StageOptions } from './stage.ts';
import { clusterStatistics } from './statistics.ts';
import { SectionWriter, writeSection } from './write.ts';

/** Slots of a whole number of blocks of every codec. */
const BLOCK_SLOTS = 64;
/** Slots packed together. */
const PACK_SLOTS = 1 << 16;

/** What a written modality adds to the manifest. */
export interface PackedModality {
  readonly sections: readonly SectionManifest[];
  readonly manifest: Omit<ModalityManifest, 'name' | 'dims' | 'normalize' | 'codec' | 'source'>;
}

/** Partitions of slots, so that the records of one fit into so many bytes. */
export function partitionSlots(items: number, recordBytes: number, bytes: number): number {
  const slots = Math.min(items, Math.max(BLOCK_SLOTS, Math.floor(bytes / recordBytes)));
  return slots === items ? items : slots - (slots % BLOCK_SLOTS);
}

export function packModality(
  space: Space,
  records: ScratchFile,
  nearest: ScratchFile,
  learned: Representatives,
  agreement: number,
  partitionBytes: number,
  options: StageOptions,
): PackedModality {
  const slots = new Uint32Array(records.rows);
  nearest.read(0, new Uint8Array(slots.buffer));
  const groups = groupClusters(space, learned, options);
  if (groups !== null) renumber(slots, groups);
  const assigned = groups === null ? learned : space.pick(learned, groups.order);
  const clusters = slotsInPlace(slots, assigned.count);
  // What was refined is chosen by the mean and variance of its final members; the papers' form by the row it is.
  const representativesOf = (moments: Moments): Representatives =>
    options.refine > 0 ? moments.representatives : space.pick(assigned, clusters.kept);
  const { sections, moments } = packRecords(
    space,
    records,
    slots,
    clusters,
    partitionBytes,
    representativesOf,
    options,
  );
  dropGarbage();
  const representatives = representativesOf(moments);
  const groupStarts = groups && startsOfKept(groups.starts, clusters.kept);
  const groupMeans = groupStarts && space.groupMeans(representatives, groupStarts, options.threads);
  const packed = space.packClusters(representatives, moments.spread, groupMeans);
  const levels = levelsOver(space, representatives, options);
  const write = (suffix: string, bytes: Uint8Array) =>
    void sections.push(writeSection(options.workspace.index, `${options.modality}.${suffix}`, bytes));
  for (const { suffix, bytes } of packed.sections) write(suffix, bytes);
  write('items', packedNumbers(inverse(slots)));
  write('slots', packedNumbers(slots));
  write('starts', bytesOf(clusters.starts));
  if (groupStarts !== null) write('group-starts', bytesOf(groupStarts));
  write('nodes', bytesOf(levels.nodes));
  write('parents', bytesOf(levels.parents));
  return {
    sections,
    manifest: {
      ...packed.manifest,
      clusters: clusters.kept.length,
      spread: moments.spread !== null,
      ...(groupStarts === null ? {} : { groups: groupStarts.length - 1 }),
      levels: Array.from(levels.levelSizes),
      statistics: {
        max_value_error: space.maxValueError,
        assign_agreement: agreement,
        zero_vectors: moments.zeros,
        duplicates: moments.duplicates,
        ...clusterStatistics(clusters.starts, options.sizeLimit),
      },
    },
  };
}

/** Moments and codes of all clusters, in one pass over the records, or in two where codes are of residuals. */
function packRecords(
  space: Space,
  records: ScratchFile,
  slots: Uint32Array,
  { starts }: OccupiedClusters,
  partitionBytes: number,
  representativesOf: (moments: Moments) => Representatives,
  options: StageOptions,
) {
  const members = space.members(starts, options.refine > 0);
  const passes = space.packsResiduals ? 2 : 1;
  // One for both passes: a second one would be as large as all that the plan leaves.
  const partition = new Uint8Array(
    partitionSlots(records.rows, records.recordBytes, partitionBytes) * records.recordBytes,
  );
  const parts = (pass: number) =>
    partsInSlotOrder(records, slots, partition, options, (share) =>
      options.onProgress('write', Math.floor(((pass + share) / passes) * records.rows), records.rows),
    );
  const writers = sectionWriters(space, records.rows, options);
  const append = (part: Uint8Array, firstSlot: number, representatives: Representatives | null): void => {
    const last = firstSlot + part.length / space.recordBytes === records.rows;
    const packed = space.pack(part, { firstSlot, last, starts, representatives }, options.threads);
    for (const { suffix, bytes } of packed) writers.get(suffix)?.append(bytes);
  };
  try {
    for (const { part, firstSlot } of parts(0)) {
      members.add(part, options.threads);
      if (!space.packsResiduals) append(part, firstSlot, null);
    }
    const moments = members.finish();
    if (space.packsResiduals) {
      const representatives = representativesOf(moments);
      for (const { part, firstSlot } of parts(1)) append(part, firstSlot, representatives);
    }
    return { sections: [...writers.values()].map((writer) => writer.finish()), moments };
  } finally {
    for (const writer of writers.values()) writer.close();
  }
}

/** Streams the records once per partition, as many as `buffer` holds, and places them at their slots in it. */
function* partsInSlotOrder(
  records: ScratchFile,
  slots: Uint32Array,
  buffer: Uint8Array,
  options: StageOptions,
  onShare: (done: number) => void,
): Generator<{ part: Uint8Array; firstSlot: number }> {
  const { recordBytes, rows } = records;
  const slotsPerPartition = buffer.length / recordBytes;
  const partitions = Math.ceil(rows / slotsPerPartition);
  for (let partition = 0; partition < partitions; partition++) {
    const first = partition * slotsPerPartition;
    const count = Math.min(slotsPerPartition, rows - first);
    const placed = buffer.subarray(0, count * recordBytes);
    for (const part of records.parts(partRows(recordBytes, rows))) {
      const places = slots.subarray(part.first, part.first + part.count);
      native.placeRecords(part.records, recordBytes, places, first, options.threads, placed);
      const read = partition * rows + part.first + part.count;
      onShare((read / partitions + first) / (2 * rows));
    }
    for (let at = 0; at < count; at += PACK_SLOTS) {
      const end = Math.min(count, at + PACK_SLOTS);
      yield { part: placed.subarray(at * recordBytes, end * recordBytes), firstSlot: first + at };
      onShare((((partition + 1) * rows) / partitions + first + end) / (2 * rows));
    }
  }
}

function sectionWriters(space: Space, items: number, { workspace, modality }: StageOptions) {
  const writers = new Map<string, SectionWriter>();
  for (const { suffix, bytes } of space.packedSizes(items)) {
    writers.set(suffix, new SectionWriter(workspace.index, `${modality}.${suffix}`, bytes));
  }
  return writers;
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
