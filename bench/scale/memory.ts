// What an index takes: bytes per item by kind of section, and resident memory when all that rounds read was read.

import { existsSync, readFileSync } from 'node:fs';
import type { Manifest } from '../../src/index/format.ts';
import type { Collection } from '../../src/index/open.ts';
import { searchedBytes, warm } from '../../src/index/warm.ts';
import { native } from '../../src/native.ts';
import { round } from '../../src/round.ts';
import { ROUND_DEFAULTS } from '../../src/round-request.ts';

export interface Memory {
  readonly rssMib: number;
  /** The part that is mapped files, shared by all processes that map them; null where the system does not say. */
  readonly mappedMib: number | null;
}

const STATUS = '/proc/self/status';
const BLOCK_ITEMS = 1 << 16;

/** Sections of all modalities with the same last name count together. */
export function bytesPerItem({ sections, items }: Manifest): {
  readonly total: number;
  readonly families: Readonly<Record<string, number>>;
} {
  const families: Record<string, number> = {};
  for (const { name, bytes } of sections) {
    const family = name.slice(name.indexOf('.') + 1);
    families[family] = (families[family] ?? 0) + bytes / items;
  }
  return { total: Object.values(families).reduce((sum, each) => sum + each, 0), families };
}

/**
 * Reads the index into memory as a server with plenty of it does, onto huge pages; then every code, map and cluster of every
 * modality as searches do, and asks the system what is resident.
 */
export function memoryTouched(collection: Collection): Memory {
  let read = 0;
  for (const bytes of warm(collection, true)) read += bytes;
  if (read !== searchedBytes(collection)) throw new RangeError(`read ${read} bytes of the index`);
  for (const { cells, manifest } of collection.modalities.values()) {
    const weights = new Float32Array(manifest.dims).fill(1);
    const head = native.linearHead(cells, weights, 0);
    const scores = new Float64Array(BLOCK_ITEMS);
    for (let first = 0; first < collection.items; first += BLOCK_ITEMS) {
      const count = Math.min(BLOCK_ITEMS, collection.items - first);
      const items = Uint32Array.from({ length: count }, (_, i) => first + i);
      native.scoreItems(head, items, scores.subarray(0, count));
    }
  }
  const modalities = [...collection.modalities.keys()].map((name) => ({ name, weight: 1 }));
  const everyCluster = Math.max(...collection.manifest.modalities.map(({ clusters }) => clusters));
  const labels = { positive: Uint32Array.of(0), negative: new Uint32Array(0), exclude: new Uint32Array(0) };
  round(collection, { ...ROUND_DEFAULTS, ...labels, clusters: everyCluster, modalities });
  const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
  return { rssMib: mib(process.memoryUsage.rss()), mappedMib: existsSync(STATUS) ? mib(mappedBytes()) : null };
}

function mappedBytes(): number {
  const [, kib] = /^RssFile:\s+([0-9]+) kB$/m.exec(readFileSync(STATUS, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
