// Assignment at build: dense rows to the nearest of all representatives (panel_distance), sparse rows by way of groups of
// them (panel_scores, panel_select). Preparing the representatives is not part of it.

import { treeOver } from '../../index-builder/stages/assign.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { cpuNs, type Line, SEED } from './line.ts';
import { sq8Steps } from './random-codes.ts';

const DENSE_ROWS = 256;
const DENSE_REPRESENTATIVES = 1024;
const SPARSE_ROWS = 4096;
const SPARSE_REPRESENTATIVES = 16_384;
const SPARSE_DIMS = 1024;
const FEATURES = 6;

export function assignmentLines(): readonly Line[] {
  return [...[128, 1280].map(denseLine), sparseLine()];
}

function denseLine(dims: number): Line {
  const random = seededRandom(SEED, `assign ${dims}`);
  const representatives = Float32Array.from(
    { length: DENSE_REPRESENTATIVES * dims },
    () => random.below(256) / 128 - 1,
  );
  const codes = Uint8Array.from({ length: DENSE_ROWS * dims }, () => random.below(256));
  const rows = { codes, ...sq8Steps(dims) };
  const assigner = native.denseAssigner(representatives, dims, null, 1);
  const nearest = new Uint32Array(DENSE_ROWS);
  const distances = new Float32Array(DENSE_ROWS);
  const run = () => native.assignDense(assigner, rows, 1, nearest, distances);
  const [ns] = cpuNs([{ name: 'assign', run }], 1) as [number];
  const unit = 'pair';
  const pairs = DENSE_ROWS * DENSE_REPRESENTATIVES;
  return {
    kernel: `assign ${dims}-d rows to the nearest of ${DENSE_REPRESENTATIVES}`,
    unit,
    ns: ns / pairs,
    bytes: 0,
    javascriptNs: null,
  };
}

function sparseLine(): Line {
  const representatives = sparseRows('representatives', SPARSE_REPRESENTATIVES);
  const rows = sparseRows('rows', SPARSE_ROWS);
  const tree = treeOver(SPARSE_REPRESENTATIVES, SEED);
  const assigner = native.sparseAssigner(representatives, SPARSE_DIMS, tree, 1);
  const nearest = new Uint32Array(SPARSE_ROWS);
  const distances = new Float32Array(SPARSE_ROWS);
  const run = () => native.assignSparse(assigner, rows, 1, nearest, distances);
  const [ns] = cpuNs([{ name: 'assign', run }], 1) as [number];
  const kernel = `assign ${FEATURES} of ${SPARSE_DIMS} to ${SPARSE_REPRESENTATIVES} by ${tree.nodes} groups, ${tree.beam} of them searched`;
  return { kernel, unit: 'row', ns: ns / SPARSE_ROWS, bytes: 0, javascriptNs: null };
}

/** At unit length, ids distinct. */
function sparseRows(name: string, rows: number) {
  const random = seededRandom(SEED, `assign ${name}`);
  const ids = new Uint16Array(rows * FEATURES);
  const values = new Float32Array(rows * FEATURES);
  for (let row = 0; row < rows; row++) {
    const distinct = new Set<number>();
    while (distinct.size < FEATURES) distinct.add(random.below(SPARSE_DIMS));
    ids.set([...distinct], row * FEATURES);
    const drawn = Array.from(distinct, () => 1 + random.below(255));
    const length = Math.hypot(...drawn);
    values.set(
      drawn.map((value) => value / length),
      row * FEATURES,
    );
  }
  return { ids, values, perRow: FEATURES };
}
