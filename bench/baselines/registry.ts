// The systems that `farsight simulate` knows.

import { float } from './float.ts';
import { hnsw } from './hnsw.ts';
import { knnLsh, svmLsh } from './lsh.ts';
import { manual } from './manual.ts';
import { blackthorn, exquisitor, knnEcp } from './own-rounds.ts';
import { spreadAlone, spreadGrid, spreadRand, spreadUniform } from './spread-mixes.ts';
import type { SystemFactory } from './system.ts';

export const systems: readonly SystemFactory[] = [
  exquisitor,
  blackthorn,
  knnEcp,
  svmLsh,
  knnLsh,
  hnsw,
  float,
  spreadAlone,
  spreadUniform,
  spreadRand,
  spreadGrid,
  manual,
];
