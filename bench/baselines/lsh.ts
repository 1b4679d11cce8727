// The papers' LSH baselines (Exquisitor, section 4.1): multi-probe LSH in the place of eCP, in the form of FALCONN.

import { type HashForm, MAX_BITS } from './lsh/cross-polytope.ts';
import { lshSearch } from './lsh/search.ts';
import { buildTables } from './lsh/tables.ts';
import { FRAME_KEYS, multimodalSystem, type Trainer } from './multimodal.ts';
import { choiceParameter, ParameterError, refuseUnknownKeys, wholeParameter } from './parameters.ts';
import type { SystemFactory } from './system.ts';

/** L, B and p of the paper's ImageNet figure. */
const TABLES = 10;
const BUCKETS = 2 ** 14;
const PROBES = 20;
const MOST_TABLES = 1000;
const KEYS = [...FRAME_KEYS, 'tables', 'buckets', 'probes', 'hash', 'centre', 'hash_seed'] as const;

export const svmLsh = lsh(
  'svm-lsh',
  'linear_svm',
  'linear SVM, multi-probe LSH: tables=L, buckets=B, probes=p per table',
);
export const knnLsh = lsh(
  'knn-lsh',
  'rocchio',
  'Rocchio query, multi-probe LSH: tables=L, buckets=B, probes=p per table',
);

function lsh(name: string, trainer: Trainer, summary: string): SystemFactory {
  return {
    name,
    summary,
    keys: KEYS,
    open(collection, parameters) {
      refuseUnknownKeys(name, parameters, KEYS);
      const tables = wholeParameter(parameters, 'tables', TABLES, 1, MOST_TABLES);
      const buckets = wholeParameter(parameters, 'buckets', BUCKETS, 2, 2 ** MAX_BITS);
      const bits = Math.log2(buckets);
      if (!Number.isInteger(bits)) throw new ParameterError(`buckets=${buckets}: expected a power of two`);
      const probes = wholeParameter(parameters, 'probes', PROBES, 1, buckets);
      const hash: HashForm = choiceParameter(parameters, 'hash', 'cross-polytope', ['cross-polytope', 'hyperplane']);
      const centre = choiceParameter(parameters, 'centre', 'true', ['true', 'false']) === 'true';
      const seed = wholeParameter(parameters, 'hash_seed', 0, 0, Number.MAX_SAFE_INTEGER);
      return multimodalSystem({
        name,
        collection,
        parameters,
        trainer,
        baseline: (modality) => {
          const built = buildTables(modality, collection.items, { tables, bits, form: hash, centre, seed });
          return lshSearch(modality, collection.items, built, probes);
        },
        reported: { tables, buckets, probes, hash, centre, hash_seed: seed },
      });
    },
  };
}
