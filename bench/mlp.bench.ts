// MLP heads: AUC and training time beside scikit-learn, and how well clusters are chosen for them.
//
//   node dist/bench/mlp.bench.js [auc|ours|clusters] [SETS]
//
// Without a word auc and clusters run, each with a run of its own; ours is auc without scikit-learn. SETS: label sets of a kind.
// AUC is that of the items that were not labelled, as decoded from the index, so that both see the same vectors. A set's
// positives come from one class or from a union of classes. Recall is the share of the exact top 100 that a search of b
// clusters finds, for MLP heads and beside them for linear SVMs on the same labels; 'mean': of clusters chosen by their
// representatives' scores alone, without the spread that the gradient says.

import { caltech97, describe } from './datasets/collections.ts';
import { printTable, writeRun } from './measure.ts';
import { qualities } from './mlp/auc.ts';
import { recalls } from './mlp/clusters.ts';
import { INSTALL_HINT, openReference } from './mlp-reference/reference.ts';

const SEED = 29;
const SETS = 4;

const [part, sets = `${SETS}`] = process.argv.slice(2);
if (part !== undefined && !['auc', 'ours', 'clusters'].includes(part)) {
  throw new RangeError(`${part}: expected auc, ours or clusters, or nothing for auc and clusters`);
}
if (!(Number(sets) >= 1)) throw new RangeError('SETS: expected a whole number from 1');
if (part !== 'clusters') {
  const reference = part === 'ours' ? null : openReference();
  if (reference === null && part !== 'ours') process.stdout.write(`${INSTALL_HINT}\nShowing our own figures only.\n`);
  const quality = await qualities(reference, SEED, Number(sets));
  reference?.close();
  printTable(`MLP heads: mean AUC and median training ms; ${describe(caltech97)}; seed ${SEED}`, quality);
  process.stdout.write(
    `${writeRun('mlp', { seed: SEED, sets: Number(sets), quality }, reference === null ? 'auc-ours' : 'auc')}\n`,
  );
}
if (part === undefined || part === 'clusters') {
  const recall = await recalls(SEED, Number(sets));
  printTable('share of the exact top 100 that is found; 10 + 100 labels of a group', recall);
  process.stdout.write(`${writeRun('mlp', { seed: SEED, sets: Number(sets), recall }, 'clusters')}\n`);
}
