// Rounds, sweeps and models over rabitq codes, whose scan has no bound: what is told is what exact scores of all items
// decide, in code and over HTTP; of codes in planes, far from their estimates, and of folded ones.

import t from 'tap';
import type { Model } from '../../src/models/model.ts';
import { type PortableModel, portableModel } from '../../src/portable-model.ts';
import { MLP_DEFAULTS, ROUND_DEFAULTS } from '../../src/round-request.ts';
import { SAMPLERS } from '../../src/samplers/sampler.ts';
import { type RoundReply, SessionClient } from '../sessions/client.ts';
import type { TestServer } from '../support.ts';
import { ITEMS, labelled, labels, rabitqCase } from './rabitq-case.ts';

const cases = [
  // One bit to scan and two more for what is exact.
  await rabitqCase(t, 'planes', 40, { codec: 'rabitq', bits: '3', scan_bits: '1' }),
  await rabitqCase(t, 'folded', 72, { bytes_per_item: '36' }),
];
const HEADS = [ROUND_DEFAULTS.model, { ...MLP_DEFAULTS, hidden: [] }, { ...MLP_DEFAULTS, hidden: [9, 4] }] as const;

/** Values decode in floats and sums differ in order by far less than this, and gaps in the data by more. */
const TOLERANCE = 1e-5;

t.test('one case has its factors within the codes, the other has not', (t) => {
  t.strictSame(
    cases.map(({ collection }) => collection.manifest.modalities[0]?.rabitq?.largest_factor !== undefined),
    [false, true],
  );
  t.end();
});

for (const { title, dims, collection, server, rows, ask, modelFor, exactScores, swept, rowOf } of cases) {
  t.test(`${title}: a sweep selects and tells what exact scores of all items say, linear and networks`, (t) => {
    for (const model of HEADS) {
      const trained = modelFor(model);
      const exact = exactScores(trained);
      for (const [item, score] of exact.entries()) near(t, score, forward(trained, rows[item] as Float32Array));
      const floats = Float32Array.from(exact);
      const { mean, deviation } = momentsOf(floats);
      const ranked = [...exact.keys()].sort((a, b) => (exact[b] as number) - (exact[a] as number) || a - b);
      // What a score cuts is the score itself of an item, which is not above it, though rounding may have moved it there.
      for (const threshold of ranked.slice(0, 300).map((item) => exact[item] as number)) {
        const { items } = swept(trained, { by: 'score', score: threshold });
        t.strictSame(
          [...items],
          ranked.filter((item) => (exact[item] as number) > threshold),
        );
      }
      const byCount = swept(trained, { by: 'count', count: 77 });
      t.strictSame([...byCount.items], ranked.slice(0, 77));
      t.equal(byCount.threshold, exact[ranked[76] as number]);
      for (const alpha of [-10, 0, 1.5]) {
        const result = swept(trained, { by: 'alpha', alpha });
        // Both add up some hundred doubles, in orders of their own.
        const asked = mean + alpha * deviation;
        t.ok(Math.abs(result.threshold - asked) <= 1e-12 * Math.max(1, Math.abs(asked)));
        const above = ranked.filter((item) => (exact[item] as number) > result.threshold);
        t.ok(above.length > 0);
        t.strictSame([...result.items], above);
        t.strictSame(
          [...result.scores],
          above.map((item) => exact[item]),
        );
        t.strictSame(result.scanned, floats, 'the scan is exact but for its rounding');
        const most = Math.max(...exact.map((score, item) => Math.abs(score - (floats[item] as number))));
        t.equal(result.error, most);
      }
    }
    t.end();
  });

  t.test(`${title}: over HTTP the job, its rows and its audit hold the same, and numbers only`, async (t) => {
    // What text adds is the same whatever the codes of visual are.
    const together = title === 'planes' ? [{ visual: {}, text: {} }] : [];
    for (const modalities of [{ visual: {} }, ...together]) {
      for (const model of [{ kind: 'linear_svm' }, { kind: 'mlp', hidden: [8] }]) {
        const session = await SessionClient.create(server, { modalities, model });
        await session.call('PUT', '/labels', { positive: [...labels.positive], negative: [...labels.negative] });
        const all = await jobOf(server, session, { count: ITEMS, audit: { strata: 2, per_stratum: 10 } });
        t.notMatch(all.text, /null|Infinity|NaN/);
        // The scan of text has a bound of its own.
        if (!('text' in modalities)) t.ok(all.job.result.scan_error < TOLERANCE, `${all.job.result.scan_error}`);
        const every = await rowsOf(server, all.job.id);
        t.ok(every.length === ITEMS && every.every(({ score }) => Number.isFinite(score)));
        const audit = await server.request<unknown>(`/v1/jobs/${all.job.id}/audit`);
        t.equal(audit.status, 200);
        t.notMatch(JSON.stringify(audit.body), /null/);
        for (const order of [{ alpha: 1 }, { score: every[120]?.score }, { count: 50 }]) {
          const { job } = await jobOf(server, session, order);
          const expected =
            'count' in order ? every.slice(0, 50) : every.filter(({ score }) => score > job.result.threshold);
          t.ok(expected.length > 20);
          t.strictSame(await rowsOf(server, job.id), expected);
        }
        if ('text' in modalities) continue;
        // A round of all items has the same training; its scores are exact.
        const { body } = await session.round({ k: ITEMS, search: { exhaustive: true, candidates: ITEMS } });
        const scores = new Map(every.map(({ id, score }) => [id, score]));
        t.equal(body.items.length, ITEMS - labelled.size);
        for (const { id, score } of body.items) t.equal(score, scores.get(id));
      }
    }
  });

  t.test(`${title}: the farthest of an exhaustive round are the best by exact scores`, (t) => {
    for (const model of HEADS) {
      const exact = exactScores(modelFor(model));
      const ranked = [...exact.keys()]
        .filter((item) => !labelled.has(item))
        .sort((a, b) => (exact[b] as number) - (exact[a] as number) || a - b);
      const answer = ask({ farthest: 60 }, { model, exhaustive: true, candidates: ITEMS });
      t.strictSame([...answer.items], ranked.slice(0, 60));
      t.strictSame(
        [...answer.scores],
        ranked.slice(0, 60).map((item) => exact[item]),
      );
    }
    t.end();
  });

  t.test(`${title}: spread suggests the items nearest to the positives`, (t) => {
    const answer = ask({ spread: 30 });
    const distances = rows.map((row) => Math.min(...[...labels.positive].map((item) => distance(row, rowOf(item)))));
    const ranked = unlabelled().sort((a, b) => (distances[a] as number) - (distances[b] as number));
    const limit = (distances[ranked[29] as number] as number) + TOLERANCE;
    t.equal(new Set(answer.items).size, 30);
    t.ok([...answer.items].every((item) => (distances[item] as number) <= limit));
    t.end();
  });

  t.test(`${title}: random suggests all that scores above mean + alpha deviations and nothing else`, (t) => {
    for (const model of HEADS) {
      const exact = exactScores(modelFor(model));
      const { mean, deviation } = momentsOf(exact);
      const above = unlabelled().filter((item) => (exact[item] as number) > mean + deviation);
      const answer = ask({ random: above.length }, { model, random: { alpha: 1 } });
      t.strictSame([...answer.items].sort(byNumber), above);
    }
    t.end();
  });

  t.test(`${title}: grid suggests the best item of each cell, the best of all among them`, (t) => {
    for (const model of HEADS) {
      const exact = exactScores(modelFor(model));
      const grid = { components: 2, segments: 5, zeta: 1 };
      const answer = ask({ grid: ITEMS - labelled.size }, { model, grid });
      const chosen = answer.items.filter((_, i) => SAMPLERS[answer.sources[i] as number] === 'grid');
      t.ok(chosen.length > 12 && chosen.length <= 25, `${chosen.length} of 25 cells have an item`);
      const best = unlabelled().reduce((a, b) => ((exact[b] as number) > (exact[a] as number) ? b : a));
      t.ok(chosen.includes(best));
      const few = ask({ grid: 3 }, { model, grid });
      const ranked = [...chosen].sort((a, b) => (exact[b] as number) - (exact[a] as number));
      t.strictSame([...few.items], ranked.slice(0, 3), 'the best cells come first');
    }
    t.end();
  });

  t.test(`${title}: with a diversity no two suggestions are more similar, and the farthest are a greedy pass`, (t) => {
    const cosine = (a: number, b: number): number => {
      const [x, y] = [rowOf(a), rowOf(b)];
      return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
    };
    const search = { exhaustive: true, candidates: ITEMS };
    const kept: number[] = [];
    for (const item of ask({ farthest: ITEMS - labelled.size }, search).items) {
      if (kept.length < 20 && kept.every((other) => cosine(item, other) <= 0.8)) kept.push(item);
    }
    t.strictSame([...ask({ farthest: 20 }, { ...search, diversity: 0.8 }).items], kept);
    const { items } = ask({ farthest: 8, spread: 8, random: 4, grid: 4 }, { diversity: 0.8, random: { alpha: 0 } });
    t.equal(items.length, 24);
    const greatest = Math.max(...[...items].flatMap((a, i) => [...items.subarray(0, i)].map((b) => cosine(a, b))));
    t.ok(greatest <= 0.8 + TOLERANCE, `${greatest}`);
    t.end();
  });

  t.test(`${title}: the portable model over stored features gives the scores of the round, in JSON too`, async (t) => {
    for (const model of HEADS) {
      const answer = ask({ farthest: 5 }, { model, returnModel: true });
      const portable = JSON.parse(JSON.stringify(portableModel(collection, answer))) as PortableModel;
      t.match(portable.modalities['visual'], { codec: 'rabitq', dims, features: null });
      for (const [i, item] of answer.items.entries()) {
        const { body } = await server.request<{ features: { visual: { values: number[] } } }>(
          `/v1/collections/small/items/${item}?features=true`,
        );
        const { values } = body.features.visual;
        t.strictSame(Float32Array.from(values), rowOf(item), 'features are the decoded vector');
        let inputs = values;
        for (const [l, { weights, bias }] of (portable.modalities['visual']?.layers ?? []).entries()) {
          const active = l === 0 ? inputs : inputs.map((value) => Math.max(0, value));
          inputs = weights.map((row, u) => dot(row, active) + (bias[u] as number));
        }
        near(t, inputs[0] as number, answer.scores[i] as number);
      }
    }
    const session = await SessionClient.create(server, { model: { kind: 'mlp', hidden: [6] } });
    await session.round({ labels: { positive: [...labels.positive], negative: [...labels.negative] } });
    const { status, body } = await session.call<PortableModel>('GET', '/model');
    t.equal(status, 200);
    t.strictSame(
      body.modalities['visual']?.layers.map(({ bias }) => bias.length),
      [6, 1],
    );
  });

  t.test(`${title}: rounds over HTTP hold numbers only, whatever samples`, async (t) => {
    for (const model of [{ kind: 'linear_svm' }, { kind: 'mlp' }, { kind: 'rocchio' }]) {
      for (const search of [{}, { exhaustive: true }]) {
        const mix = { farthest: 5, spread: 5, random: 5, grid: 5 };
        const body = {
          labels: { positive: [...labels.positive], negative: [...labels.negative] },
          ...{ model, search, mix, k: 20, random: { alpha: 0 }, diversity: 0.95 },
        };
        const answer = await server.suggest<RoundReply>(body);
        t.equal(answer.status, 200);
        t.equal(answer.body.items.length, 20);
        t.ok(answer.body.items.every(({ score }) => Number.isFinite(score)));
      }
    }
  });
}

interface JobReply {
  readonly id: string;
  readonly status: string;
  readonly result: { readonly scan_error: number; readonly threshold: number };
}

async function jobOf(
  server: TestServer,
  session: SessionClient,
  order: unknown,
): Promise<{ job: JobReply; text: string }> {
  const { status, body } = await session.call<JobReply>('POST', '/sweeps', order);
  if (status !== 202) throw new Error(JSON.stringify(body));
  for (;;) {
    const text = await (await fetch(`${server.url}/v1/jobs/${body.id}`)).text();
    const job = JSON.parse(text) as JobReply;
    if (job.status === 'done') return { job, text };
    if (job.status === 'failed') throw new Error(text);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function rowsOf(server: TestServer, id: string): Promise<{ readonly id: number; readonly score: number }[]> {
  const { body } = await server.request<Buffer>(`/v1/jobs/${id}/result`);
  return `${body}`
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function unlabelled(): number[] {
  return Array.from({ length: ITEMS }, (_, item) => item).filter((item) => !labelled.has(item));
}

/** The plain definition, in double. */
function forward(model: Model, row: Float32Array): number {
  if (!('hidden' in model)) return dot(model.weights, row) + model.bias;
  let inputs: ArrayLike<number> = row;
  let at = 0;
  for (const [l, units] of [...model.hidden, 1].entries()) {
    const active = l === 0 ? inputs : Array.from(inputs, (value) => Math.max(0, value));
    const weights = model.parameters.subarray(at, at + units * active.length);
    const bias = model.parameters.subarray(at + weights.length, at + weights.length + units);
    inputs = Array.from(bias, (b, u) => b + dot(weights.subarray(u * active.length, (u + 1) * active.length), active));
    at += weights.length + units;
  }
  return inputs[0] as number;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += (a[d] as number) * (b[d] as number);
  return sum;
}

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, d) => sum + (value - (b[d] as number)) ** 2, 0);
}

function momentsOf(values: Float32Array | Float64Array): { mean: number; deviation: number } {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

function near(t: { fail(message: string): void }, actual: number, expected: number): void {
  if (!(Math.abs(actual - expected) <= TOLERANCE * (1 + Math.abs(expected)))) t.fail(`${actual}, not ${expected}`);
}

function byNumber(a: number, b: number): number {
  return a - b;
}
