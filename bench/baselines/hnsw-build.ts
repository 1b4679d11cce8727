// Builds the HNSW graph of one modality, as a process of its own: hnswlib-node inserts on one core only.
//   node dist/bench/baselines/hnsw-build.js INDEX MODALITY M EF_CONSTRUCTION FILE

import { openIndex } from '../../src/index/open.ts';
import { buildGraph } from './hnsw-graph.ts';

const [directory, name, links, effort, file] = process.argv.slice(2);
if (directory === undefined || name === undefined || file === undefined) {
  throw new RangeError('expected INDEX MODALITY M EF_CONSTRUCTION FILE');
}
const collection = openIndex(directory);
const modality = collection.modalities.get(name);
if (modality === undefined) throw new RangeError(`${directory} has no modality ${name}`);
buildGraph(modality, collection.items, { links: Number(links), effort: Number(effort) }, file);
