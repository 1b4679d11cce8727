// Opens an index directory: headers are checked, sections are mapped read-only, no payload is read. O(1) in items.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codecNamed } from '../codecs/registry.ts';
import { native } from '../native.ts';
import type { CellsHandle, CodesHandle, LevelsHandle, SectionHandle } from '../native-types.ts';
import { decodeManifest, type GridManifest, IndexError, type Manifest, type ModalityManifest } from './format.ts';
import { mapSection } from './sections.ts';

/** Sizes above this are not a record but damage. */
const MAX_RECORD_BYTES = 1 << 26;

/** A variable-length record per item (a key, a JSON object, a picture); empty where an item has none. */
export interface Records {
  /** Record i is bytes [offsets[i], offsets[i + 1]); u64 each. */
  readonly offsets: SectionHandle;
  readonly bytes: SectionHandle;
  /** The bytes of an item's record (a copy), empty when it has none. */
  get(item: number): Uint8Array;
}

/** External keys of a collection. */
export interface Keys {
  keyOf(item: number): string;
  /** The item with a key, or undefined. */
  itemOf(key: string): number | undefined;
}

/** One modality of an open index. */
export interface Modality {
  readonly name: string;
  readonly manifest: ModalityManifest;
  readonly cells: CellsHandle;
  readonly codes: CodesHandle;
  readonly representatives: CodesHandle;
  /** The hierarchy above the clusters. */
  readonly levels: LevelsHandle;
}

/** Every item's cell of a grid over all modalities, of equal weights. */
export interface StoredGrid extends GridManifest {
  /** Cells there are; all numbers are below. */
  readonly cells: number;
  /** One packed number an item. */
  readonly section: SectionHandle;
}

/** An open index. Its mappings live as long as it is referenced. */
export interface Collection {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly items: number;
  /** Content hash of the index: equal generations give equal answers. */
  readonly generation: string;
  readonly modalities: ReadonlyMap<string, Modality>;
  readonly grid: StoredGrid | null;
  /** What rounds read, the cells of the grid aside; what every round reads whole first. */
  readonly searched: readonly SectionHandle[];
  readonly keys: Keys | null;
  /** JSON objects (UTF-8). */
  readonly metadata: Records | null;
  /** Picture files (PNG, JPEG, WebP, GIF or SVG). */
  readonly thumbnails: Records | null;
}

/** Throws IndexError when the directory holds no index, or one that is cut, damaged or of another version. */
export function openIndex(directory: string): Collection {
  return openSections(directory, readManifest(directory));
}

/** Opens what a manifest lists in a directory, in which the builder may not have written it yet. Throws IndexError. */
export function openSections(directory: string, manifest: Manifest): Collection {
  const sections = new Map(manifest.sections.map((section) => [section.name, section]));
  const map = (name: string, bytes: number | null): SectionHandle => {
    const section = sections.get(name);
    if (section === undefined)
      throw new IndexError(`${directory}: section ${name} is missing from the manifest; rebuild`);
    if (bytes !== null && section.bytes !== bytes) {
      throw new IndexError(`${directory}: section ${name} has ${section.bytes} bytes, ${bytes} were expected; rebuild`);
    }
    return mapSection(directory, section);
  };
  const records = (name: string): Records | null =>
    sections.has(`${name}.offsets`)
      ? openRecords(map(`${name}.offsets`, (manifest.items + 1) * 8), map(`${name}.bytes`, null), manifest.items)
      : null;
  const keyRecords = records('keys');
  const modalities = manifest.modalities.map((modality) => openModality(modality, manifest, map));
  const grid = manifest.grid === undefined ? null : openGrid(manifest.grid, manifest.items, map);
  return {
    directory,
    manifest,
    items: manifest.items,
    generation: manifest.generation,
    modalities: new Map(modalities.map(({ modality }) => [modality.name, modality])),
    grid,
    searched: [...modalities.flatMap(({ always }) => always), ...modalities.flatMap(({ inParts }) => inParts)],
    keys: keyRecords && openKeys(keyRecords, map),
    metadata: records('metadata'),
    thumbnails: records('thumbnails'),
  };
}

/** The manifest of an index directory, checked. */
export function readManifest(directory: string): Manifest {
  const path = join(directory, 'manifest.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new IndexError(
      `${path}: cannot be read (${code}); ${directory} is not an index, make one with farsight build`,
    );
  }
  return decodeManifest(text, path);
}

type MapSection = (name: string, bytes: number | null) => SectionHandle;

function openGrid(grid: GridManifest, items: number, map: MapSection): StoredGrid {
  const cells = grid.segments ** grid.components;
  return { ...grid, cells, section: map('grid.cells', native.packedBytes(items, cells)) };
}

interface OpenModality {
  readonly modality: Modality;
  /** Sections every round reads whole, and sections it reads parts of. */
  readonly always: readonly SectionHandle[];
  readonly inParts: readonly SectionHandle[];
}

function openModality(modality: ModalityManifest, manifest: Manifest, map: MapSection): OpenModality {
  const { name, clusters } = modality;
  const sections: Record<'always' | 'inParts', SectionHandle[]> = { always: [], inParts: [] };
  const codec = codecNamed(modality.codec);
  try {
    const { codes, representatives, spread, groups } = codec.open(modality, manifest.items, (suffix) => {
      const section = map(`${name}.${suffix}`, null);
      // The starts of the clusters are every codec's, and counted below.
      if (suffix !== 'starts') sections[suffix.startsWith('codes') ? 'inParts' : 'always'].push(section);
      return section;
    });
    const mapBytes = native.packedBytes(manifest.items, manifest.items);
    const items = map(`${name}.items`, mapBytes);
    const slots = map(`${name}.slots`, mapBytes);
    const starts = map(`${name}.starts`, (clusters + 1) * 4);
    const grouped = groups && { means: groups, starts: map(`${name}.group-starts`, ((modality.groups ?? 0) + 1) * 4) };
    const cells = native.openCells(codes, representatives, spread, items, slots, starts, grouped);
    const upper = modality.levels.slice(1).reduce((sum, size) => sum + size, 0);
    const linked = modality.levels.slice(0, -1).reduce((sum, size) => sum + size, 0);
    const levels = native.openLevels(
      Uint32Array.from(modality.levels),
      map(`${name}.nodes`, upper * 4),
      map(`${name}.parents`, linked * 4),
    );
    sections.always.push(starts, ...(grouped === null ? [] : [grouped.starts]));
    sections.inParts.push(slots, items);
    return { modality: { name, manifest: modality, cells, codes, representatives, levels }, ...sections };
  } catch (error) {
    if (error instanceof IndexError) throw error;
    throw new IndexError(`modality ${name}: sections do not fit the manifest (${(error as Error).message}); rebuild`);
  }
}

function openRecords(offsets: SectionHandle, bytes: SectionHandle, items: number): Records {
  const total = native.sectionBytes(bytes);
  return {
    offsets,
    bytes,
    get(item) {
      if (!(item >= 0 && item < items)) throw new RangeError(`item ${item} is past the end`);
      const ends = new BigUint64Array(2);
      native.readSection(offsets, item * 8, new Uint8Array(ends.buffer));
      const start = Number(ends[0]);
      const length = Number(ends[1]) - start;
      if (length < 0 || length > MAX_RECORD_BYTES || start + length > total) {
        throw new IndexError(`record of item ${item} lies outside its section; the index is damaged, verify it`);
      }
      const record = new Uint8Array(length);
      if (length > 0) native.readSection(bytes, start, record);
      return record;
    },
  };
}

function openKeys(records: Records, map: MapSection): Keys {
  const offsets = map('keys.offsets', null);
  const bytes = map('keys.bytes', null);
  const table = map('keys.table', null);
  return {
    keyOf: (item) => new TextDecoder().decode(records.get(item)),
    itemOf(key) {
      const item = native.findKey(offsets, bytes, table, new TextEncoder().encode(key));
      return item < 0 ? undefined : item;
    },
  };
}
