// A collection whose dense modality is in one form of rabitq codes, with what tests of rounds ask of it.

import type { Test } from 'tap';
import { headOf } from '../../src/head.ts';
import { trainHeads } from '../../src/heads.ts';
import type { Collection } from '../../src/index/open.ts';
import type { Model } from '../../src/models/model.ts';
import { native } from '../../src/native.ts';
import { round } from '../../src/round.ts';
import type { RoundRequest, RoundResult } from '../../src/round-request.ts';
import type { SamplerName } from '../../src/samplers/sampler.ts';
import { type ScanSweepResult, type Selection, scanSweep } from '../../src/scan-sweep.ts';
import {
  clustered,
  collectionOf,
  decode,
  denseFile,
  everyItem,
  modalityOf,
  requestOf,
  sparseFiles,
  sparseRows,
} from '../data.ts';
import { startTestServer, type TestServer, temporaryFolder } from '../support.ts';

export const ITEMS = 900;
const SEED = 5;

export const labels = { positive: Uint32Array.of(700, 5, 77), negative: Uint32Array.of(3, 420, 40, 41) };
export const labelled: ReadonlySet<number> = new Set([...labels.positive, ...labels.negative]);
const one = [{ name: 'visual', weight: 1 }];

export interface RabitqCase {
  readonly title: string;
  readonly dims: number;
  readonly collection: Collection;
  /** Serves the collection as `small`. */
  readonly server: TestServer;
  /** Decoded, by item. */
  readonly rows: readonly Float32Array[];
  /** A round over `visual` alone. */
  ask(mix: Partial<Record<SamplerName, number>>, change?: Partial<RoundRequest>): RoundResult;
  modelFor(model: RoundRequest['model']): Model;
  /** Of every item, each by itself. */
  exactScores(model: Model): Float64Array;
  swept(model: Model, selection: Selection): ScanSweepResult;
  rowOf(item: number): Float32Array;
}

/** `visual` in the codes that the options ask for, beside a sparse `text`. */
export async function rabitqCase(
  t: Test,
  title: string,
  dims: number,
  options: Readonly<Record<string, string>>,
): Promise<RabitqCase> {
  const folder = temporaryFolder(t);
  const collection = await collectionOf(
    t,
    {
      visual: { path: denseFile(folder, 'visual', clustered(ITEMS, dims, 12, 5), dims), options },
      text: sparseFiles(folder, 'text', sparseRows(ITEMS, 300, 6, 12), 6),
    },
    { clusterSize: 20 },
  );
  const visual = modalityOf(collection, 'visual');
  const server = await startTestServer(t, { collections: { small: collection.directory } });
  const rows = Array.from(everyItem(collection), (item) => decode(visual, Uint32Array.of(item)).values);
  const rowOf = (item: number): Float32Array => rows[item] as Float32Array;

  const ask: RabitqCase['ask'] = (mix, change = {}) => {
    const all = { farthest: 0, spread: 0, random: 0, grid: 0, ...mix };
    const k = Object.values(all).reduce((sum, share) => sum + share, 0);
    return round(collection, requestOf(collection, { ...labels, modalities: one, seed: SEED, k, mix: all, ...change }));
  };

  const modelFor: RabitqCase['modelFor'] = (model) => {
    const request = requestOf(collection, { ...labels, modalities: one, seed: SEED, model });
    const [head] = trainHeads(collection, request, Uint32Array.from(labelled).sort()).heads;
    if (head === undefined) throw new RangeError('no head was trained');
    return head.model;
  };

  const exactScores: RabitqCase['exactScores'] = (model) => {
    const scores = new Float64Array(ITEMS);
    native.scoreItems(headOf(visual, model).prepared, everyItem(collection), scores);
    return scores;
  };

  const swept: RabitqCase['swept'] = (model, selection) => {
    const steps = scanSweep(collection, {
      modalities: [{ ...(one[0] as (typeof one)[0]), model }],
      selection,
      order: 'score',
      admission: null,
      maxBytes: Number.POSITIVE_INFINITY,
    });
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  };
  return { title, dims, collection, server, rows, ask, modelFor, exactScores, swept, rowOf };
}
