// Opening: no payload is read, damage shows on access and never as a crash, and an open index outlives its replacement.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { BuildOptions } from '../../index-builder/main.ts';
import { HEADER_BYTES } from '../../src/index/format.ts';
import { type Collection, openIndex, readManifest } from '../../src/index/open.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { seededRandom } from '../../src/random.ts';
import { round } from '../../src/round.ts';
import { ROUND_DEFAULTS } from '../../src/round-request.ts';
import { build, uniformValues, writeLines, writeVectors } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';

const ITEMS = 120;

t.test('an index opens whatever its payloads hold, so none is read', async (t) => {
  const directory = await smallIndex(t);
  for (const name of sectionNames(directory)) fillPayload(directory, name, () => 0xff);
  const { keys, metadata, thumbnails } = openIndex(directory);
  const damaged = { name: 'IndexError', message: 'record of item 3 lies outside its section; the index is damaged' };
  t.throws(() => keys?.keyOf(3), damaged);
  t.throws(() => metadata?.get(3), damaged);
  t.throws(() => thumbnails?.get(3), damaged);
  t.equal(keys?.itemOf('item 3'), undefined);
});

t.test('a round over any damaged section ends, with items of the collection or an error', async (t) => {
  const whole = await smallIndex(t);
  const folder = temporaryFolder(t);
  for (const name of sectionNames(whole).filter((section) => /^(visual|text)\./.test(section))) {
    for (const seed of [0, 1, 2]) {
      const directory = join(folder, `${name}-${seed}`);
      cpSync(whole, directory, { recursive: true });
      const random = seededRandom(seed, name);
      fillPayload(directory, name, () => (seed === 0 ? 0xff : random.below(256)));
      const items = itemsOrError(openIndex(directory));
      t.ok(items instanceof Error || items.every((item) => item < ITEMS), `${name}, damage ${seed}`);
    }
  }
});

t.test('keys are looked up in a damaged table without a crash', async (t) => {
  for (const name of ['keys.table', 'keys.offsets', 'keys.bytes']) {
    const directory = await smallIndex(t);
    const random = seededRandom(4, name);
    fillPayload(directory, name, () => random.below(256));
    const { keys } = openIndex(directory);
    for (let item = 0; item < ITEMS; item++) {
      const found = keys?.itemOf(`item ${item}`);
      t.ok(found === undefined || found < ITEMS);
    }
  }
});

t.test('an open index stays as it was while another is renamed over it', async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, 'index');
  await buildInto(folder, out, { seed: 1 });
  const old = openIndex(out);
  const before = answer(old);
  const record = Buffer.from(old.metadata?.get(7) ?? []).toString();
  await buildInto(folder, out, { seed: 2 }, 9);
  const renewed = openIndex(out);

  t.strictSame(answer(old), before);
  t.equal(Buffer.from(old.metadata?.get(7) ?? []).toString(), record);
  t.equal(old.keys?.itemOf('item 7'), 7);
  t.not(renewed.generation, old.generation);
  t.notSame(answer(renewed), before);
  t.strictSame(verifyIndex(out, true, () => {}).findings, []);

  await buildInto(folder, out, { seed: 1 });
  t.equal(openIndex(out).generation, old.generation, 'the same input and seed are the same generation');
  t.strictSame(answer(openIndex(out)), before);
});

t.test('an index without keys, metadata and pictures says that it has none', async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, 'index');
  await build(out, { visual: [writeVectors(join(folder, 'visual.npy'), 4, uniformValues(1, 4 * ITEMS))] });
  t.match(openIndex(out), { keys: null, metadata: null, thumbnails: null, items: ITEMS, directory: out });
});

async function smallIndex(t: Test): Promise<string> {
  const folder = temporaryFolder(t);
  await buildInto(folder, join(folder, 'index'), {});
  return join(folder, 'index');
}

/** A dense and a sparse modality with keys, metadata and pictures. */
async function buildInto(folder: string, out: string, options: Partial<BuildOptions>, vectors = 1): Promise<void> {
  const perItem = (line: (item: number) => string) => Array.from({ length: ITEMS }, (_, item) => line(item));
  const lines = (name: string, line: (item: number) => string) => writeLines(join(folder, name), perItem(line));
  lines('dot.svg', () => '<svg/>');
  await build(
    out,
    {
      visual: [writeVectors(join(folder, 'visual.npy'), 8, uniformValues(vectors, 8 * ITEMS, -1))],
      text: [writeVectors(join(folder, 'text.npy'), 20, uniformValues(vectors, 20 * ITEMS)), { codec: 'ratio' }],
    },
    {
      ids: lines('ids.txt', (item) => `item ${item}`),
      metadata: lines('metadata.jsonl', (item) => `{"n":${item * vectors}}`),
      thumbnails: lines('thumbnails.txt', () => 'dot.svg'),
      ...options,
    },
  );
}

function sectionNames(directory: string): string[] {
  return readManifest(directory).sections.map(({ name }) => name);
}

/** Overwrites what follows the header page, in place. */
function fillPayload(directory: string, section: string, byte: () => number): void {
  const path = join(directory, `${section}.0`);
  const bytes = readFileSync(path);
  for (let at = HEADER_BYTES; at < bytes.length; at++) bytes[at] = byte();
  writeFileSync(path, bytes);
}

function answer(collection: Collection): number[] {
  const { items } = round(collection, {
    ...ROUND_DEFAULTS,
    positive: Uint32Array.of(1, 2),
    negative: Uint32Array.of(3, 4, 5),
    exclude: new Uint32Array(0),
    k: 10,
    clusters: 4,
    workers: 2,
    modalities: [
      { name: 'visual', weight: 1 },
      { name: 'text', weight: 1 },
    ],
  });
  return [...items];
}

function itemsOrError(collection: Collection): number[] | Error {
  try {
    return answer(collection);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
