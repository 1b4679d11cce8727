// Checks every section of an index. The plain check reads every byte against its checksum; the deep one also checks
// what the sections mean: that every item stands in exactly one slot and cluster of each modality, that the maps are
// inverse, that levels, keys and records fit.

import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { native } from '../native.ts';
import {
  HEADER_BYTES,
  hex32,
  IndexError,
  type Manifest,
  type ModalityManifest,
  type SectionManifest,
} from './format.ts';
import { type Collection, openIndex, readManifest } from './open.ts';
import { checkShard, readFully, readItemNumbers, readNumbers, readWords } from './sections.ts';

export interface Finding {
  /** The section that is off, or 'manifest'. */
  readonly section: string;
  readonly detail: string;
}

export interface Verification {
  readonly sections: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

const CHUNK_BYTES = 1 << 22;

/** Never throws for a damaged index: what is wrong comes back as findings. */
export function verifyIndex(
  directory: string,
  deep: boolean,
  onBytes: (bytes: number, total: number) => void,
): Verification {
  const findings: Finding[] = [];
  const attempt = (section: string, check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      findings.push({ section, detail: error.message });
    }
  };
  let manifest: Manifest | undefined;
  attempt('manifest', () => {
    manifest = readManifest(directory);
  });
  if (manifest === undefined) return { sections: 0, bytes: 0, findings };

  const { sections } = manifest;
  const bytes = sections.reduce((sum, section) => sum + section.bytes, 0);
  for (const section of sections) {
    section.shards.forEach((_, number) => {
      attempt(section.name, () => checkPayload(directory, section, number, (read) => onBytes(read, bytes)));
    });
  }
  attempt('manifest', () => checkFiles(directory, sections));
  if (deep && findings.length === 0) {
    attempt('manifest', () => {
      const collection = openIndex(directory);
      for (const modality of collection.manifest.modalities) {
        attempt(`${modality.name}.slots`, () => checkMaps(collection, modality));
        attempt(`${modality.name}.parents`, () => checkLevels(collection, modality));
        attempt(`${modality.name}.group-starts`, () => checkGroups(collection, modality));
      }
      attempt('grid.cells', () => checkGrid(collection));
      attempt('keys.table', () => checkKeys(collection));
      attempt('metadata.bytes', () => checkMetadata(collection));
      attempt('thumbnails.bytes', () => checkThumbnails(collection));
    });
  }
  return { sections: sections.length, bytes, findings };
}

/** Compares a shard's payload with the checksum in its header. */
function checkPayload(
  directory: string,
  section: SectionManifest,
  number: number,
  onBytes: (bytes: number) => void,
): void {
  const header = checkShard(directory, section, number);
  const path = join(directory, section.shards[number]?.file ?? '');
  const file = openSync(path, 'r');
  try {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, header.payloadBytes));
    let crc = 0;
    for (let at = 0; at < header.payloadBytes; ) {
      const part = chunk.subarray(0, Math.min(chunk.length, header.payloadBytes - at));
      readFully(file, part, HEADER_BYTES + at);
      crc = native.crc32c(crc, part);
      at += part.length;
      onBytes(part.length);
    }
    if (crc !== header.payloadCrc) {
      throw new IndexError(
        `${path}: payload checksum ${hex32(crc)}, expected ${hex32(header.payloadCrc)}; the file is damaged, restore or rebuild it`,
      );
    }
  } finally {
    closeSync(file);
  }
}

/** Every file of the directory belongs to a section. */
function checkFiles(directory: string, sections: readonly SectionManifest[]): void {
  const known = new Set(['manifest.json', ...sections.flatMap(({ shards }) => shards.map(({ file }) => file))]);
  const stray = readdirSync(directory).filter((name) => !known.has(name));
  if (stray.length > 0) throw new IndexError(`${directory}: ${stray.join(', ')} does not belong to the index`);
}

/** Starts ascend from 0 to the number of items; items and slots are inverse permutations. */
function checkMaps({ directory, manifest, items }: Collection, { name, clusters }: ModalityManifest): void {
  const starts = readWords(directory, manifest, `${name}.starts`);
  if (starts[0] !== 0 || starts[clusters] !== items) throw new IndexError(`${name}.starts: does not span all items`);
  for (let c = 0; c < clusters; c++) {
    if ((starts[c] as number) > (starts[c + 1] as number)) throw new IndexError(`${name}.starts: descends at ${c}`);
  }
  const itemOf = readItemNumbers(directory, manifest, `${name}.items`);
  const slotOf = readItemNumbers(directory, manifest, `${name}.slots`);
  for (let slot = 0; slot < items; slot++) {
    if (slotOf[itemOf[slot] as number] !== slot) {
      throw new IndexError(
        `${name}: slot ${slot} holds item ${itemOf[slot]}, which the slots section places elsewhere`,
      );
    }
  }
}

/** Every cluster lies in one group, every group has clusters. */
function checkGroups({ directory, manifest }: Collection, { name, clusters, groups }: ModalityManifest): void {
  if (groups === undefined) return;
  const starts = readWords(directory, manifest, `${name}.group-starts`);
  const first = starts.findIndex((start, g) => start <= (starts[g - 1] ?? -1));
  if (first >= 0) throw new IndexError(`${name}.group-starts: group ${first - 1} has no clusters`);
  if (starts[0] !== 0 || starts[groups] !== clusters) {
    throw new IndexError(`${name}.group-starts: does not span all clusters`);
  }
}

/** Each node of a level is a representative, each parent a node of the level above. */
function checkLevels({ directory, manifest }: Collection, { name, clusters, levels }: ModalityManifest): void {
  const nodes = readWords(directory, manifest, `${name}.nodes`);
  const parents = readWords(directory, manifest, `${name}.parents`);
  const upper = levels.slice(1).reduce((sum, size) => sum + size, 0);
  const linked = levels.slice(0, -1).reduce((sum, size) => sum + size, 0);
  if (levels[0] !== clusters || nodes.length !== upper || parents.length !== linked) {
    throw new IndexError(
      `${name}: levels ${levels.join(', ')} do not fit ${nodes.length} nodes, ${parents.length} parents`,
    );
  }
  if (nodes.some((node) => node >= clusters)) throw new IndexError(`${name}.nodes: a node that is no cluster`);
  let at = 0;
  levels.slice(1).forEach((size, level) => {
    const end = at + (levels[level] as number);
    if (parents.subarray(at, end).some((parent) => parent >= size)) {
      throw new IndexError(`${name}.parents: a parent outside level ${level + 1}`);
    }
    at = end;
  });
}

/** Every component cuts the items into segments of equal size. */
function checkGrid({ directory, manifest, items, grid }: Collection): void {
  if (grid === null) return;
  const cells = readNumbers(directory, manifest, 'grid.cells', grid.cells);
  const sizes = new Uint32Array(grid.components * grid.segments);
  for (let item = 0; item < items; item++) {
    let rest = cells[item] as number;
    if (rest >= grid.cells) throw new IndexError(`grid.cells: item ${item} in cell ${rest} of ${grid.cells}`);
    for (let c = 0; c < grid.components; c++, rest = Math.floor(rest / grid.segments)) {
      const at = c * grid.segments + (rest % grid.segments);
      sizes[at] = (sizes[at] as number) + 1;
    }
  }
  const least = (segment: number): number => Math.ceil((segment * items) / grid.segments);
  for (const [at, size] of sizes.entries()) {
    const segment = at % grid.segments;
    const expected = least(segment + 1) - least(segment);
    if (size === expected) continue;
    throw new IndexError(`grid.cells: segment ${segment} of a component holds ${size} items, expected ${expected}`);
  }
}

/** Every key leads to its item. */
function checkKeys({ keys, items }: Collection): void {
  if (keys === null) return;
  for (let item = 0; item < items; item++) {
    const key = keys.keyOf(item);
    if (keys.itemOf(key) !== item) throw new IndexError(`key ${JSON.stringify(key)} of item ${item} is not found`);
  }
}

/** Every record is a JSON object. */
function checkMetadata({ metadata, items }: Collection): void {
  if (metadata === null) return;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let item = 0; item < items; item++) {
    const record = metadata.get(item);
    if (record.length === 0) continue;
    const value: unknown = JSON.parse(decoder.decode(record));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new IndexError(`metadata of item ${item} is not an object`);
    }
  }
}

/** Every record lies inside its section. */
function checkThumbnails({ thumbnails, items }: Collection): void {
  if (thumbnails === null) return;
  for (let item = 0; item < items; item++) thumbnails.get(item);
}
