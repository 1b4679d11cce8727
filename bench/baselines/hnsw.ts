// HNSW of hnswlib-node in the place of eCP: one graph of plain float32 vectors per modality, searched with the weight
// vector of the SVM by inner product. Graphs are built once, a process per modality, and kept in the cache folder.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Collection, Modality } from '../../src/index/open.ts';
import {
  asideOf,
  type Graph,
  type GraphOptions,
  graphExists,
  graphFile,
  graphSearch,
  readGraph,
} from './hnsw-graph.ts';
import { chosenModalities, FRAME_KEYS, multimodalSystem } from './multimodal.ts';
import { refuseUnknownKeys, wholeParameter } from './parameters.ts';
import type { SystemFactory } from './system.ts';

/** As many as r by default: searched at ef, a graph finds no more than ef candidates. */
const EFFORT = 1000;
const MOST_EFFORT = 1_000_000;
const LINKS = 16;
const BUILD_EFFORT = 100;
/** hnswlib itself caps M at 10,000. */
const MOST_LINKS = 10_000;
const KEYS = [...FRAME_KEYS, 'ef', 'm', 'ef_construction'] as const;

export const hnsw: SystemFactory = {
  name: 'hnsw',
  summary: 'linear SVM, hnswlib-node by inner product: ef, m=M, ef_construction; building takes long',
  keys: KEYS,
  async open(collection, parameters, signal = new AbortController().signal) {
    refuseUnknownKeys('hnsw', parameters, KEYS);
    const ef = wholeParameter(parameters, 'ef', EFFORT, 1, MOST_EFFORT);
    const links = wholeParameter(parameters, 'm', LINKS, 2, MOST_LINKS);
    const effort = wholeParameter(parameters, 'ef_construction', BUILD_EFFORT, 1, MOST_EFFORT);
    const modalities = chosenModalities(collection, parameters);
    const graphs = new Map<string, Graph>();
    let builtSeconds = 0;
    await buildMissing(collection, modalities, { links, effort }, signal);
    for (const modality of modalities) {
      const read = readGraph(modality, collection.items, graphFile(collection, modality, { links, effort }));
      graphs.set(modality.name, read.graph);
      builtSeconds += read.builtSeconds;
    }
    return multimodalSystem({
      name: 'hnsw',
      collection,
      parameters,
      trainer: 'linear_svm',
      baseline: (modality) => graphSearch(graphs.get(modality.name) as Graph, ef),
      mostCandidates: ef,
      reported: { ef, m: links, ef_construction: effort, built_seconds: Math.round(builtSeconds) },
    });
  },
};

/** Builds the graphs that are not there yet, side by side; when one fails, the others stop too. */
async function buildMissing(
  collection: Collection,
  modalities: readonly Modality[],
  options: GraphOptions,
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const builds = modalities.map((modality) =>
    ensureGraph(collection, modality, options, either).catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(builds);
  either.throwIfAborted();
}

async function ensureGraph(
  collection: Collection,
  modality: Modality,
  options: GraphOptions,
  signal: AbortSignal,
): Promise<void> {
  const file = graphFile(collection, modality, options);
  if (graphExists(file)) return;
  signal.throwIfAborted();
  const program = fileURLToPath(new URL('./hnsw-build.js', import.meta.url));
  const words = [collection.directory, modality.name, `${options.links}`, `${options.effort}`, file];
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  const stop = (): void => void child.kill();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const [code, by] = await once(child, 'exit');
    if (code === 0) return;
    rmSync(asideOf(file, child.pid as number), { force: true });
    signal.throwIfAborted();
    throw new Error(`hnsw: building the graph of ${modality.name} failed (${code ?? by})`);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
