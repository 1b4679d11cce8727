// The systems that `farsight simulate` knows.

import { SurveyMemory } from '../../src/survey-memory.ts';
import { float } from './float.ts';
import { hnsw } from './hnsw.ts';
import { knnLsh, svmLsh } from './lsh.ts';
import { manual } from './manual.ts';
import { mix } from './mix.ts';
import { ownRounds } from './own-rounds.ts';
import { inProcess } from './round-system.ts';
import { spreadMixes } from './spread-mixes.ts';
import type { SystemFactory } from './system.ts';

/** SpreadS begins around the same seeds in all of its mixes. */
const memory = new SurveyMemory();

export const systems: readonly SystemFactory[] = [
  ...ownRounds.map((system) => inProcess(system)),
  svmLsh,
  knnLsh,
  hnsw,
  float,
  ...spreadMixes.map((system) => inProcess(system, memory)),
  inProcess(mix),
  manual,
];
