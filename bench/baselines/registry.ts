// The systems that `farsight simulate` knows.

import { float } from './float.ts';
import { hnsw } from './hnsw.ts';
import { knnLsh, svmLsh } from './lsh.ts';
import { manual } from './manual.ts';
import { mix } from './mix.ts';
import { ownRounds } from './own-rounds.ts';
import { inProcess } from './round-system.ts';
import { spreadMixes } from './spread-mixes.ts';
import type { SystemFactory } from './system.ts';

export const systems: readonly SystemFactory[] = [
  ...ownRounds.map(inProcess),
  svmLsh,
  knnLsh,
  hnsw,
  float,
  ...spreadMixes.map(inProcess),
  inProcess(mix),
  manual,
];
