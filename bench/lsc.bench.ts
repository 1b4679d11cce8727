// The lsc protocol on lsc41k: found@10 and found@20 over 12 topics x 50 starts, for the geometry (raw values or unit
// length), the trainer, and how much of the index is read.
//   node dist/bench/lsc.bench.js [starts]

import { join } from 'node:path';
import { runSimulation } from './actors/run.ts';
import { dataFolder, indexOf, isReal, lsc41k } from './datasets/collections.ts';
import { printTable, writeRun } from './measure.ts';

const ALL_CLUSTERS = 2 ** 31;

const RAW = [
  'blackthorn,loss=hinge,c=1',
  'blackthorn,loss=hinge,c=100',
  'blackthorn',
  'exquisitor,clusters=256',
  'exquisitor,clusters=64',
];
const UNIT = [
  ...RAW,
  'exquisitor,clusters=256,loss=hinge,c=100',
  'exquisitor,clusters=64,loss=hinge,c=100',
  // Rocchio over every cluster, which is every item.
  `knn-ecp,clusters=${ALL_CLUSTERS}`,
  // The default round: the systems above are plain rankings.
  'mix',
];

if (!isReal(lsc41k)) {
  process.stdout.write('lsc41k is not here (../shared/data or FARSIGHT_DATA): the protocol needs its topics\n');
} else {
  const starts = Number(process.argv[2] ?? 50);
  const raw = (await indexOf(lsc41k, { keys: { normalize: 'false' } })).directory;
  const unit = (await indexOf(lsc41k, { keys: { normalize: 'true' } })).directory;
  const rows = [...(await play(raw, RAW, 'raw')), ...(await play(unit, UNIT, 'unit length'))];
  printTable(`lsc protocol, 12 topics x ${starts} starts`, rows);
  process.stdout.write(`${writeRun('lsc', { starts, rows })}\n`);

  async function play(directory: string, systems: readonly string[], vectors: string) {
    const result = await runSimulation({
      protocol: 'lsc',
      directories: [directory],
      spaces: [raw],
      actors: [join(dataFolder() as string, 'lsc41k/topics.json')],
      systems,
      starts,
      rounds: null,
      k: null,
      seed: 0,
      save: null,
      url: null,
      collection: null,
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    return result.runs.map(({ system, parameters, found, found_se: error }) => ({
      vectors,
      system,
      clusters: String(parameters['clusters'] ?? 'all'),
      loss: String(parameters['loss'] ?? ''),
      c: String(parameters['c'] ?? ''),
      'found@10': found?.['10']?.toFixed(3) ?? '',
      'found@20': found?.['20']?.toFixed(3) ?? '',
      'standard error over topics': error?.['10']?.toFixed(3) ?? '',
    }));
  }
}
