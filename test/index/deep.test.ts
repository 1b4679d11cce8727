// verify --deep: an index whose checksums are right and whose sections contradict each other.

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openIndex, readManifest } from '../../src/index/open.ts';
import { readItemNumbers } from '../../src/index/sections.ts';
import { verifyIndex } from '../../src/index/verify.ts';
import { native } from '../../src/native.ts';
import { build, groupedValues, roundOver, writeLines, writeVectors } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';
import { payloadOf, resealManifest, resealSection, wordsOf } from './reseal.ts';

const ITEMS = 240;

/** One contradiction: what is changed, the section that is blamed and what is said of it. */
interface Contradiction {
  readonly title: string;
  readonly change: (directory: string) => void;
  readonly section: string;
  readonly detail: RegExp;
}

const contradictions: readonly Contradiction[] = [
  {
    title: 'two slots that hold one item',
    change: (directory) => editItemNumbers(directory, 'visual.items', (items) => items.copyWithin(7, 8, 9)),
    section: 'visual.slots',
    detail: /slot [78] holds item \d+, which the slots section places elsewhere/,
  },
  {
    title: 'an item in a slot that is not its own',
    change: (directory) =>
      editItemNumbers(directory, 'visual.slots', (slots) => slots.set([slots[5] as number, slots[4] as number], 4)),
    section: 'visual.slots',
    detail: /places elsewhere/,
  },
  {
    title: 'an item past the end',
    change: (directory) => editItemNumbers(directory, 'visual.items', (items) => items.fill(ITEMS, 3, 4)),
    section: 'visual.slots',
    detail: /slot 3 holds item 240/,
  },
  {
    title: 'clusters that do not begin at the first slot',
    change: (directory) => editWords(directory, 'visual.starts', (starts) => starts.fill(1, 0, 1)),
    section: 'visual.slots',
    detail: /does not span all items/,
  },
  {
    title: 'clusters that end before the last item',
    change: (directory) => editWords(directory, 'visual.starts', (starts) => starts.fill(ITEMS - 1, -1)),
    section: 'visual.slots',
    detail: /does not span all items/,
  },
  {
    title: 'a cluster of negative size',
    change: (directory) => editWords(directory, 'visual.starts', (starts) => starts.fill(ITEMS, 1, 2)),
    section: 'visual.slots',
    detail: /visual\.starts: descends at 1/,
  },
  {
    title: 'a root that is no cluster',
    change: (directory) => editWords(directory, 'visual.nodes', (nodes) => nodes.fill(ITEMS)),
    section: 'visual.parents',
    detail: /a node that is no cluster/,
  },
  {
    title: 'a parent outside its level',
    change: (directory) => editWords(directory, 'visual.parents', (parents) => parents.fill(1, -1)),
    section: 'visual.parents',
    detail: /a parent outside level 1/,
  },
  {
    title: 'levels of other sizes',
    change: (directory) =>
      resealManifest(directory, {
        modalities: readManifest(directory).modalities.map((modality) => ({ ...modality, levels: [5, 1] })),
      }),
    section: 'manifest',
    detail: /section visual\.parents has \d+ bytes, 20 were expected; rebuild/,
  },
  {
    title: 'a key that is not found',
    change: (directory) => editWords(directory, 'keys.table', (table) => table.fill(0)),
    section: 'keys.table',
    detail: /key "item 0" of item 0 is not found/,
  },
  {
    title: 'a key that leads to another item',
    change: (directory) => {
      const bytes = payloadOf(directory, 'keys.bytes');
      bytes.set(new TextEncoder().encode('item 1'));
      resealSection(directory, 'keys.bytes', bytes);
    },
    section: 'keys.table',
    detail: /key "item 1" of item [01] is not found/,
  },
  {
    title: 'a record that ends before it begins',
    change: (directory) => editWords(directory, 'keys.offsets', (offsets) => offsets.fill(0, 4, 6)),
    section: 'keys.table',
    detail: /record of item 1 lies outside its section/,
  },
  {
    title: 'a picture past the end',
    change: (directory) => editWords(directory, 'thumbnails.offsets', (offsets) => offsets.fill(1 << 20, -2, -1)),
    section: 'thumbnails.bytes',
    detail: /record of item 239 lies outside its section/,
  },
  ...['[1]', '12', 'null', '"a"', 'nil'].map((text) => ({
    title: `metadata that is ${text}`,
    change: (directory: string) => {
      const bytes = payloadOf(directory, 'metadata.bytes');
      bytes.fill(' '.charCodeAt(0), 0, 7);
      bytes.set(new TextEncoder().encode(text));
      resealSection(directory, 'metadata.bytes', bytes);
    },
    section: 'metadata.bytes',
    detail: text === 'nil' ? /JSON/ : /metadata of item 0 is not an object/,
  })),
  {
    title: 'metadata that is not UTF-8',
    change: (directory) => {
      const bytes = payloadOf(directory, 'metadata.bytes');
      bytes[2] = 0xff;
      resealSection(directory, 'metadata.bytes', bytes);
    },
    section: 'metadata.bytes',
    detail: /not valid/,
  },
  {
    title: 'a section that is too short for the items',
    change: (directory) => resealSection(directory, 'visual.slots', payloadOf(directory, 'visual.slots').subarray(4)),
    section: 'manifest',
    detail: /section visual\.slots has 244 bytes, 248 were expected; rebuild/,
  },
  {
    title: 'codes that are too short for the items',
    change: (directory) => resealSection(directory, 'visual.codes', payloadOf(directory, 'visual.codes').subarray(64)),
    section: 'manifest',
    detail: /modality visual: sections do not fit the manifest \(blocks: expected at least .* bytes/,
  },
  {
    title: 'a scale of other dimensions',
    change: (directory) => resealSection(directory, 'visual.scale', payloadOf(directory, 'visual.scale').subarray(4)),
    section: 'manifest',
    detail: /section visual\.scale: 28 bytes for 4 dims/,
  },
  {
    title: 'a section that the manifest does not list',
    change: (directory) =>
      resealManifest(directory, {
        sections: readManifest(directory).sections.filter(({ name }) => name !== 'visual.parents'),
      }),
    section: 'manifest',
    detail: /visual\.parents\.0 does not belong to the index/,
  },
];

for (const { title, change, section, detail } of contradictions) {
  t.test(title, async (t) => {
    const directory = await smallIndex(t);
    change(directory);
    t.match(verifyIndex(directory, true, () => {}).findings, [{ section, detail }]);
    if (section !== 'manifest') t.strictSame(verifyIndex(directory, false, () => {}).findings, []);
  });
}

t.test('a manifest without a section that is needed is refused', async (t) => {
  const directory = await smallIndex(t);
  const { sections } = readManifest(directory);
  resealManifest(directory, { sections: sections.filter(({ name }) => name !== 'visual.codes') });
  t.throws(() => openIndex(directory), { name: 'IndexError', message: /section visual\.codes is missing/ });
});

t.test('a section in many shards is the same section, and its shards have their order', async (t) => {
  const directory = await smallIndex(t);
  const wide = await smallIndex(t, 2048);
  const before = roundOver(wide, [1, 2], [3, 4]);
  const codes = payloadOf(wide, 'visual.codes');
  resealSection(wide, 'visual.codes', codes, 4096);
  t.ok((readManifest(wide).sections.find(({ name }) => name === 'visual.codes')?.shards.length ?? 0) > 2);
  t.strictSame(verifyIndex(wide, true, () => {}).findings, []);
  t.strictSame(roundOver(wide, [1, 2], [3, 4]), before);

  const { sections } = readManifest(wide);
  resealManifest(wide, {
    sections: sections.map(({ name, bytes, shards: [first, second, ...rest] }) => ({
      name,
      bytes,
      shards: [second, first, ...rest].filter((shard) => shard !== undefined),
    })),
  });
  t.match(verifyIndex(wide, false, () => {}).findings, [
    { section: 'visual.codes', detail: /mixed up/ },
    { section: 'visual.codes', detail: /mixed up/ },
  ]);
  t.throws(() => openIndex(wide), { name: 'IndexError', message: /mixed up/ });
  t.strictSame(verifyIndex(directory, true, () => {}).findings, []);
});

function editWords(directory: string, section: string, edit: (words: Uint32Array) => void): void {
  const words = wordsOf(directory, section);
  edit(words);
  resealSection(directory, section, new Uint8Array(words.buffer));
}

function editItemNumbers(directory: string, section: string, edit: (numbers: Uint32Array) => void): void {
  const numbers = readItemNumbers(directory, readManifest(directory), section);
  edit(numbers);
  const bytes = new Uint8Array(native.packedBytes(ITEMS, ITEMS));
  native.packNumbers(numbers, ITEMS, bytes);
  resealSection(directory, section, bytes);
}

/** One dense modality on two levels, with keys `item 0` …, metadata and pictures. */
async function smallIndex(t: Test, dims = 4): Promise<string> {
  const folder = temporaryFolder(t);
  const out = join(folder, 'index');
  const perItem = (line: (item: number) => string) => Array.from({ length: ITEMS }, (_, item) => line(item));
  const lines = (name: string, line: (item: number) => string) => writeLines(join(folder, name), perItem(line));
  lines('dot.svg', () => '<svg/>');
  await build(
    out,
    { visual: [writeVectors(join(folder, 'visual.npy'), dims, groupedValues(1, ITEMS, dims, 200, 0.01))] },
    {
      clusterSize: 2,
      refine: 0,
      ids: lines('ids.txt', (item) => `item ${item}`),
      metadata: lines('metadata.jsonl', (item) => `{"n":${item}}`),
      thumbnails: lines('thumbnails.txt', () => 'dot.svg'),
    },
  );
  return out;
}
