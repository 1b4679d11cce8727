// hnswlib-node and its graph files: for a linear model, the farthest items on the positive side are maximum inner
// product search with its weight vector. A graph takes minutes to hours, so it is kept in a file, and since the library
// crashes on damaged ones, a file is read only when it matches the checksum in the record beside it.

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import hnswlib from 'hnswlib-node';
import type { Collection, Modality } from '../../src/index/open.ts';
import { native } from '../../src/native.ts';
import { cacheFolder } from '../datasets/collections.ts';
import type { Baseline } from './baseline.ts';
import { ItemSet } from './item-set.ts';
import { ParameterError } from './parameters.ts';
import { checkMemory, type PlainVectors, plainBlocks } from './plain-vectors.ts';

export interface GraphOptions {
  /** M, links per node. */
  readonly links: number;
  /** ef_construction. */
  readonly effort: number;
}

export type Graph = hnswlib.HierarchicalNSW;

/** What the record beside a graph says. */
interface GraphRecord {
  readonly items: number;
  readonly dims: number;
  readonly bytes: number;
  readonly crc32c: number;
  readonly built_seconds: number;
}

const SEED = 0;
const READ_BYTES = 1 << 24;
const REPORT_MS = 5000;

/** Where a graph is kept. The generation is the hash of the index's content, so a graph never serves other vectors. */
export function graphFile({ generation }: Collection, { name }: Modality, { links, effort }: GraphOptions): string {
  return join(cacheFolder(), `${generation}-${name}-${links}-${effort}.hnsw`);
}

/** What a process writes a graph to before it is whole. */
export function asideOf(file: string, pid: number): string {
  return `${file}.${pid}`;
}

export function graphExists(file: string): boolean {
  return existsSync(recordOf(file));
}

/** Inserts every item one by one, on one core, and writes the graph and its record. Progress goes to stderr. */
export function buildGraph(modality: Modality, items: number, { links, effort }: GraphOptions, file: string): void {
  const { dims } = modality.manifest;
  // Per node: the vector, 2 M links on the lowest level and about M / ln M above, a label; a tenth more for the rest.
  checkMemory(`an HNSW graph of ${modality.name}`, items * 1.1 * (4 * dims + 12 * links + 40));
  const graph = new hnswlib.HierarchicalNSW('ip', dims);
  graph.initIndex(items, links, effort, SEED);
  const started = performance.now();
  let reported = started;
  for (const [first, block] of plainBlocks(modality, items)) {
    for (let row = 0; row < block.rows; row++) graph.addPoint(denseRow(block, row), first + row);
    const now = performance.now();
    if (now - reported < REPORT_MS) continue;
    reported = now;
    const done = first + block.rows;
    const left = ((now - started) / done) * (items - done);
    process.stderr.write(`hnsw ${modality.name}: ${done} of ${items} items, ${Math.ceil(left / 1000)} s left\n`);
  }
  const seconds = (performance.now() - started) / 1000;
  const aside = asideOf(file, process.pid);
  graph.writeIndexSync(aside);
  const record: GraphRecord = { items, dims, ...checksum(aside), built_seconds: Math.round(10 * seconds) / 10 };
  synced(aside);
  renameSync(aside, file);
  writeFileSync(aside, `${JSON.stringify(record)}\n`, { flush: true });
  renameSync(aside, recordOf(file));
}

/** Opens a graph that was built; throws where file and record do not fit each other or the modality. */
export function readGraph(modality: Modality, items: number, file: string): { graph: Graph; builtSeconds: number } {
  const { dims } = modality.manifest;
  const record: GraphRecord = JSON.parse(readFileSync(recordOf(file), 'utf8'));
  const { bytes, crc32c } = checksum(file);
  if (bytes !== record.bytes || crc32c !== record.crc32c || items !== record.items || dims !== record.dims) {
    throw new Error(`${file}: not the graph that ${recordOf(file)} describes; delete both, they are built again`);
  }
  checkMemory(`the HNSW graph of ${modality.name}`, bytes);
  const graph = new hnswlib.HierarchicalNSW('ip', dims);
  graph.readIndexSync(file);
  return { graph, builtSeconds: record.built_seconds };
}

/**
 * Searches a graph at an effort (`ef`): it keeps that many of the best it meets, so it is asked for no more. Asked for
 * more, hnswlib would search at that many instead. Throws ParameterError where fewer than the items needed would be found.
 */
export function graphSearch(graph: Graph, effort: number): Baseline {
  const skipped = new ItemSet(graph.getMaxElements());
  return {
    name: `hnswlib-node ef=${effort}`,
    search(model, { most, least, skip }) {
      if (effort < least) throw new ParameterError(`ef=${effort} finds ${effort} items, a round asks for ${least}`);
      const count = Math.min(most, effort, graph.getCurrentCount());
      graph.setEf(effort);
      skipped.addAll(skip);
      const filter = skip.length === 0 ? undefined : (item: number): boolean => !skipped.has(item);
      const { neighbors } = graph.searchKnn(Array.from(model.weights), count, filter);
      skipped.deleteAll(skip);
      return Uint32Array.from(neighbors);
    },
  };
}

function denseRow({ dims, perRow, ids, values }: PlainVectors, row: number): number[] {
  const own = values.subarray(row * perRow, (row + 1) * perRow);
  if (ids === null) return Array.from(own);
  const dense = new Array<number>(dims).fill(0);
  own.forEach((value, j) => {
    if (value !== 0) dense[ids[row * perRow + j] as number] = value;
  });
  return dense;
}

function recordOf(file: string): string {
  return `${file}.json`;
}

function checksum(path: string): { readonly bytes: number; readonly crc32c: number } {
  const file = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(READ_BYTES);
    let bytes = 0;
    let crc32c = 0;
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      crc32c = native.crc32c(crc32c, buffer.subarray(0, read));
      bytes += read;
    }
    return { bytes, crc32c };
  } finally {
    closeSync(file);
  }
}

function synced(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
