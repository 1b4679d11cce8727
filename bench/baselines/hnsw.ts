// HNSW of hnswlib-node in the place of eCP: one graph of plain float32 vectors per modality, searched with the weight
// vector of the SVM by inner product. Graphs are built once, a process per modality, and kept in the cache folder.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Collection, Modality } from '../../src/index/open.ts';
import { type Graph, type GraphOptions, graphExists, graphFile, graphSearch, readGraph } from './hnsw-graph.ts';
import { chosenModalities, FRAME_KEYS, multimodalSystem } from './multimodal.ts';
import { refuseUnknownKeys, wholeParameter } from './parameters.ts';
import type { SystemFactory } from './system.ts';

/** ef at least r, or the graph could not even return r candidates. */
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
  async open(collection, parameters) {
    refuseUnknownKeys('hnsw', parameters, KEYS);
    const ef = wholeParameter(parameters, 'ef', EFFORT, 1, MOST_EFFORT);
    const links = wholeParameter(parameters, 'm', LINKS, 2, MOST_LINKS);
    const effort = wholeParameter(parameters, 'ef_construction', BUILD_EFFORT, 1, MOST_EFFORT);
    const modalities = chosenModalities(collection, parameters);
    const graphs = new Map<string, Graph>();
    let builtSeconds = 0;
    await Promise.all(modalities.map((modality) => ensureGraph(collection, modality, { links, effort })));
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
      reported: { ef, m: links, ef_construction: effort, built_seconds: Math.round(builtSeconds) },
    });
  },
};

async function ensureGraph(collection: Collection, modality: Modality, options: GraphOptions): Promise<void> {
  const file = graphFile(collection, modality, options);
  if (graphExists(file)) return;
  const program = fileURLToPath(new URL('./hnsw-build.js', import.meta.url));
  const words = [collection.directory, modality.name, `${options.links}`, `${options.effort}`, file];
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`hnsw: building the graph of ${modality.name} failed (${code ?? signal})`);
}
