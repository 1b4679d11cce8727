// The nearest representative of every row, streamed from the records to a scratch file of numbers.

import type { Assigner, Representatives, Rows, Space } from '../../src/codecs/codec.ts';
import type { AssignTree } from '../../src/native-types.ts';
import { sampleAscending, seededRandom } from '../../src/random.ts';
import { isCheckpoint } from './encode.ts';
import { hnswAssigner } from './hnsw.ts';
import { readRecords } from './sample.ts';
import { ScratchFile } from './scratch.ts';
import { type Assign, partRows, type StageOptions } from './stage.ts';

const NUMBER_BYTES = 4;
/** Rows whose cluster is compared with the exactly nearest one. */
const AGREEMENT_SAMPLE = 1000;
/** Comparing every item with every representative is cheap enough up to here: 300,000 items of 100 a cluster. */
const EXACT_PAIRS = 1e9;
/** Groups that a row is compared with the members of, at least; twice as many until so many rows of a few agree. */
const BEAM = 4;
const LEAST_AGREEMENT = 0.95;
const FEW_ROWS = 500;

/** How items find their representative, when nothing else is asked for. */
export function assignBySize(items: number, clusters: number): Assign {
  return items * clusters <= EXACT_PAIRS ? 'exact' : 'tree';
}

/** `few`: some of the rows to be assigned, by which the beam of a tree is chosen. */
export function assignerFor(
  space: Space,
  representatives: Representatives,
  few: () => Rows,
  options: StageOptions,
): Assigner {
  if (options.assign === 'hnsw') return hnswAssigner(space, representatives, options.seed);
  const exact = space.assigner(representatives, null, options.threads);
  return options.assign === 'exact' ? exact : treeAssigner(space, representatives, exact, few(), options);
}

/** Vectors without groups of groups need more of a tree than others; where they need all of it, that is the exact one. */
function treeAssigner(
  space: Space,
  representatives: Representatives,
  exact: Assigner,
  few: Rows,
  { seed, threads }: StageOptions,
): Assigner {
  const tree = treeOver(representatives.count, seed);
  const nearest = nearestOf(exact, few);
  for (let beam = tree.beam; beam < tree.nodes; beam *= 2) {
    const assigner = space.assigner(representatives, { ...tree, beam }, threads);
    if (agreementOf(nearestOf(assigner, few), nearest) >= LEAST_AGREEMENT) {
      exact.release();
      return assigner;
    }
    assigner.release();
  }
  return exact;
}

/** Assigns rows exactly, by an assigner that goes again. */
export function assignExactly(
  space: Space,
  representatives: Representatives,
  rows: Rows,
  threads: number,
  nearest: Uint32Array,
  distances: Float32Array,
): void {
  const assigner = space.assigner(representatives, null, threads);
  assigner.assign(rows, nearest, distances);
  assigner.release();
}

function nearestOf(assigner: Assigner, rows: Rows): Uint32Array {
  const nearest = new Uint32Array(rows.count);
  assigner.assign(rows, nearest, new Float32Array(rows.count));
  return nearest;
}

function agreementOf(found: Uint32Array, exact: Uint32Array): number {
  return found.filter((cluster, i) => cluster === exact[i]).length / exact.length;
}

/** Some of the rows, spread evenly over all of them. */
export function fewOf(space: Space, rows: Rows): Rows {
  const count = Math.min(FEW_ROWS, rows.count);
  return space.asRows(rows.take(Uint32Array.from({ length: count }, (_, i) => Math.floor((i * rows.count) / count))));
}

/** As many groups as representatives in a group. */
export function treeOver(representatives: number, seed: number): AssignTree {
  return { nodes: Math.min(65536, Math.max(1, Math.round(Math.sqrt(representatives)))), beam: BEAM, seed };
}

/** Rows assigned between two reports: through groups each part takes a pass over all representatives. */
const REPORT_ROWS = { exact: 1 << 14, hnsw: 1 << 12, tree: 1 << 20 } as const;

/** Assigns rows in memory, and reports as it goes. */
export function assignInParts(
  assigner: Assigner,
  assign: Assign,
  rows: Rows,
  nearest: Uint32Array,
  distances: Float32Array,
  onRows: (done: number) => void,
): void {
  for (let first = 0; first < rows.count; first += REPORT_ROWS[assign]) {
    const end = Math.min(rows.count, first + REPORT_ROWS[assign]);
    assigner.assign(rows.range(first, end), nearest.subarray(first, end), distances.subarray(first, end));
    onRows(end);
  }
}

/** Assigns every row. The returned file is finished; the share is of sampled rows with the exactly nearest cluster. */
export function assignRows(
  space: Space,
  records: ScratchFile,
  representatives: Representatives,
  options: StageOptions,
): { readonly nearest: ScratchFile; readonly agreement: number } {
  const { workspace, modality, checkpointRows } = options;
  const { stage, row, state, agreement: known } = workspace.progress(modality);
  const path = workspace.scratch(`${modality}.nearest`);
  if (stage !== 'assign') return { nearest: new ScratchFile(path, NUMBER_BYTES, records.rows), agreement: known ?? 1 };

  const nearest = new ScratchFile(path, NUMBER_BYTES, row);
  const few = (): Rows => rowsOf(space, records, sampledNumbers(records, FEW_ROWS, 'beam', options), options);
  const assigner = assignerFor(space, representatives, few, options);
  for (const part of records.parts(partRows(records.recordBytes, checkpointRows), row)) {
    const found = new Uint32Array(part.count);
    assigner.assign(space.rows(part.records, options.threads), found, new Float32Array(part.count));
    nearest.append(new Uint8Array(found.buffer));
    options.onProgress('assign', nearest.rows, records.rows);
    if (nearest.rows < records.rows && isCheckpoint(part.first, nearest.rows, checkpointRows)) {
      nearest.sync();
      workspace.record(modality, { stage: 'assign', row: nearest.rows, state });
    }
  }
  assigner.release();
  nearest.sync();
  const agreement =
    options.assign === 'exact' ? 1 : sampledAgreement(space, records, nearest, representatives, options);
  workspace.record(modality, { stage: 'write', row: 0, state, agreement });
  return { nearest, agreement };
}

function sampledAgreement(
  space: Space,
  records: ScratchFile,
  nearest: ScratchFile,
  representatives: Representatives,
  options: StageOptions,
): number {
  const sample = sampledNumbers(records, AGREEMENT_SAMPLE, 'agreement', options);
  const rows = rowsOf(space, records, sample, options);
  const exact = new Uint32Array(rows.count);
  assignExactly(space, representatives, rows, options.threads, exact, new Float32Array(rows.count));
  return agreementOf(new Uint32Array(readRecords(nearest, sample, options).buffer), exact);
}

function rowsOf(space: Space, records: ScratchFile, numbers: Uint32Array, options: StageOptions): Rows {
  return space.rows(readRecords(records, numbers, options), options.threads);
}

function sampledNumbers(records: ScratchFile, count: number, use: string, options: StageOptions): Uint32Array {
  return sampleAscending(seededRandom(options.seed, `${use} of ${options.modality}`), count, records.rows);
}
