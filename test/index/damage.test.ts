// Damage on disk: every flipped bit, cut, swap, foreign file and other version is found and named.

import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { decodeHeader, decodeManifest, encodeHeader, HEADER_BYTES, IndexError } from '../../src/index/format.ts';
import { inspectIndex } from '../../src/index/inspect.ts';
import { openIndex, readManifest } from '../../src/index/open.ts';
import { checkShard, mapSection, readWords } from '../../src/index/sections.ts';
import { type Finding, verifyIndex } from '../../src/index/verify.ts';
import { native } from '../../src/native.ts';
import { seededRandom } from '../../src/random.ts';
import { build, groupedValues, writeLines, writeVectors } from '../builder/collections.ts';
import { temporaryFolder } from '../support.ts';

const ITEMS = 8;
/** Bits flipped in every payload, besides those of its first and last byte. */
const SAMPLED_BITS = 8;

t.test('every flipped bit of the manifest is found', async (t) => {
  const directory = await smallIndex(t);
  const path = join(directory, 'manifest.json');
  const bytes = readFileSync(path);
  let missed = 0;
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    flip(bytes, bit);
    if (!throwsIndexError(() => decodeManifest(bytes.toString('utf8'), path))) missed++;
    flip(bytes, bit);
  }
  t.equal(missed, 0, `of ${8 * bytes.length} bits`);
  const random = seededRandom(1, 'manifest bits');
  for (let i = 0; i < 100; i++) {
    withFlipped(path, random.below(8 * bytes.length), () => {
      t.strictSame(sectionsOf(directory, false), ['manifest']);
      t.throws(() => openIndex(directory), { name: 'IndexError', message: path });
    });
  }
});

t.test('every flipped bit of a header page is found', async (t) => {
  const directory = await smallIndex(t);
  for (const { file, section } of shardsOf(directory)) {
    const path = join(directory, file);
    const page = readFileSync(path).subarray(0, HEADER_BYTES);
    // All bits of one header, and of every other those before the zeros, the last ones and some between.
    const bits = Array.from({ length: 8 * HEADER_BYTES }, (_, bit) => bit).filter(
      (bit) => file.startsWith('keys.table') || bit < 8 * 96 || bit % 251 === 0 || bit >= 8 * (HEADER_BYTES - 4),
    );
    let missed = 0;
    for (const bit of bits) {
      flip(page, bit);
      if (!throwsIndexError(() => decodeHeader(page, path))) missed++;
      flip(page, bit);
    }
    t.equal(missed, 0, `${file}: of ${bits.length} bits`);
    for (const bit of [0, 8 * 8, 8 * 12, 8 * 20, 8 * 24, 8 * 32, 8 * 2000, 8 * HEADER_BYTES - 1]) {
      withFlipped(path, bit, () => t.strictSame(sectionsOf(directory, false), [section], `${file} bit ${bit}`));
    }
  }
});

for (const deep of [false, true]) {
  t.test(`flipped bits of every payload are found by verify${deep ? ' --deep' : ''}`, async (t) => {
    const directory = await smallIndex(t);
    const random = seededRandom(2, 'payload bits');
    for (const { file, section, bytes } of shardsOf(directory)) {
      if (bytes === 0) continue;
      const edges = Array.from({ length: 8 }, (_, bit) => [bit, 8 * (bytes - 1) + bit]).flat();
      const sampled = Array.from({ length: SAMPLED_BITS }, () => random.below(8 * bytes));
      const wrong = [...edges, ...sampled].filter((bit) => {
        let found: string[] = [];
        withFlipped(join(directory, file), 8 * HEADER_BYTES + bit, () => {
          found = sectionsOf(directory, deep);
        });
        return found.join() !== section;
      });
      t.strictSame(wrong, [], `${file} of ${bytes} bytes`);
    }
    t.strictSame(sectionsOf(directory, deep), []);
  });
}

t.test('a file of another length is found by verify and by open', async (t) => {
  const directory = await smallIndex(t);
  for (const { file, section, bytes } of shardsOf(directory)) {
    const path = join(directory, file);
    const whole = readFileSync(path);
    const lengths = [0, 1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 1, whole.length - 1, whole.length + 1];
    for (const length of lengths.filter((length) => length !== HEADER_BYTES + bytes)) {
      truncateSync(path, length);
      t.strictSame(sectionsOf(directory, false), [section], `${file} cut to ${length}`);
      t.strictSame(sectionsOf(directory, true), [section]);
      t.throws(() => openIndex(directory), { name: 'IndexError', message: path });
      writeFileSync(path, whole);
    }
  }
  t.strictSame(sectionsOf(directory, true), []);
});

t.test('a manifest of another length is found', async (t) => {
  const directory = await smallIndex(t);
  const path = join(directory, 'manifest.json');
  const text = readFileSync(path, 'utf8');
  for (const other of [
    '',
    text.slice(0, 1),
    text.slice(0, -1),
    `${text}\n`,
    `\ufeff${text}`,
    text.slice(0, text.length / 2),
  ]) {
    writeFileSync(path, other);
    t.strictSame(sectionsOf(directory, true), ['manifest']);
    t.throws(() => openIndex(directory), { name: 'IndexError', message: path });
  }
});

t.test('a manifest edited by hand is refused', async (t) => {
  const directory = await smallIndex(t);
  const path = join(directory, 'manifest.json');
  const text = readFileSync(path, 'utf8');
  const edits: readonly [from: string | RegExp, to: string, message: RegExp][] = [
    ['"seed": 1', '"seed": 2', /checksum does not match its content; .* rebuild/],
    ['"seed": 1', '"seed":  1', /checksum does not match/],
    ['"seed": 1', '"seed": -1', /\/seed /],
    ['"seed": 1,', '"seed": 1,\n  "note": "mine",', /manifest\.json: \/note /],
    [/"items": 8/, '"items": 0', /\/items /],
    ['"codec": "sq8"', '"codec": "pq"', /\/modalities\/0\/codec /],
    [/"file": "keys.offsets.0"/, '"file": "../keys.offsets.0"', /\/sections\/0\/shards\/0\/file /],
    [/"checksum": "[0-9a-f]{8}"/, '"checksum": "00000000"', /checksum does not match/],
    ['"format": "farsight-index"', '"format": "another"', /\/format /],
  ];
  for (const [from, to, message] of edits) {
    const edited = text.replace(from, to);
    t.not(edited, text);
    writeFileSync(path, edited);
    t.throws(() => openIndex(directory), { name: 'IndexError', message }, to);
  }
  for (const other of ['null', '[]', '7', '{}', '{"version":"1"}']) {
    writeFileSync(path, other);
    t.throws(() => openIndex(directory), { name: 'IndexError', message: path });
  }
});

t.test('another format version is called too old or too new', async (t) => {
  const directory = await smallIndex(t);
  const manifest = join(directory, 'manifest.json');
  const text = readFileSync(manifest, 'utf8');
  const shard = join(directory, 'visual.codes.0');
  const whole = readFileSync(shard);
  for (const [version, remedy] of [
    [1, /format version 1, this Farsight reads 2; too old: rebuild the index/],
    [3, /format version 3, this Farsight reads 2; too new: use a newer Farsight/],
  ] as const) {
    writeFileSync(manifest, text.replace('"version": 2', `"version": ${version}`));
    t.throws(() => openIndex(directory), { name: 'IndexError', message: remedy });
    t.match(verifyIndex(directory, false, () => {}).findings, [{ section: 'manifest', detail: remedy }]);
    writeFileSync(manifest, text);

    const other = Buffer.from(whole);
    other.writeUInt32LE(version, 8);
    sealHeader(other);
    writeFileSync(shard, other);
    t.throws(() => openIndex(directory), { name: 'IndexError', message: remedy });
    t.match(verifyIndex(directory, false, () => {}).findings, [{ section: 'visual.codes', detail: remedy }]);
    writeFileSync(shard, whole);
  }
});

t.test('what format version 1 wrote is refused by name', async (t) => {
  const old = fileURLToPath(new URL('../../../test/fixtures/index-v1', import.meta.url));
  const tooOld = 'format version 1, this Farsight reads 2; too old: rebuild the index';
  t.throws(() => openIndex(old), { name: 'IndexError', message: `${join(old, 'manifest.json')}: ${tooOld}` });
  const section = readFileSync(join(old, 'visual.starts.0'));
  t.throws(() => decodeHeader(section, 'visual.starts.0'), { message: `visual.starts.0: ${tooOld}` });
});

t.test('a section file with another magic is not a section', async (t) => {
  const directory = await smallIndex(t);
  const shard = join(directory, 'visual.codes.0');
  const bytes = readFileSync(shard);
  bytes.write('FARSIGHS', 'latin1');
  sealHeader(bytes);
  writeFileSync(shard, bytes);
  t.throws(() => openIndex(directory), { name: 'IndexError', message: /not a Farsight section \(magic "FARSIGHS"\)/ });
});

t.test('a header holds names of at most 64 bytes', async (t) => {
  const header = { shard: 0, shards: 1, payloadBytes: 5, payloadCrc: 6 };
  for (const section of ['a', 'a'.repeat(64)]) {
    t.strictSame(decodeHeader(encodeHeader({ ...header, section }), 'file'), { ...header, section });
  }
  t.throws(() => encodeHeader({ ...header, section: 'a'.repeat(65) }), RangeError);
});

t.test('files that are missing, stray, swapped, folders or of another index are named', async (t) => {
  const directory = await smallIndex(t);
  const path = (file: string) => join(directory, file);

  renameSync(path('visual.items.0'), path('elsewhere'));
  t.match(verifyIndex(directory, false, () => {}).findings, [
    { section: 'visual.items', detail: /visual\.items\.0: cannot be read \(ENOENT\); restore or rebuild it/ },
    { section: 'manifest', detail: /elsewhere does not belong to the index/ },
  ]);
  t.throws(() => openIndex(directory), { name: 'IndexError', message: /visual\.items\.0: cannot be read \(ENOENT\)/ });
  mkdirSync(path('visual.items.0'));
  t.throws(() => openIndex(directory), { name: 'IndexError', message: /visual\.items\.0: cannot be read \(EISDIR\)/ });
  rmSync(path('visual.items.0'), { recursive: true });
  renameSync(path('elsewhere'), path('visual.items.0'));

  // Items and slots have the same length.
  renameSync(path('visual.items.0'), path('aside'));
  renameSync(path('visual.slots.0'), path('visual.items.0'));
  renameSync(path('aside'), path('visual.slots.0'));
  t.strictSame(sectionsOf(directory, false), ['visual.items', 'visual.slots']);
  t.throws(() => openIndex(directory), { name: 'IndexError', message: /holds "visual\.slots .* is mixed up, rebuild/ });

  const one = await smallIndex(t);
  cpSync(join(await smallIndex(t, 2), 'visual.codes.0'), join(one, 'visual.codes.0'));
  t.strictSame(sectionsOf(one, false), ['visual.codes']);
  t.throws(() => openIndex(one), { name: 'IndexError', message: /the index is mixed up, rebuild/ });
});

t.test('what is not an index at all is said to be none', async (t) => {
  const folder = temporaryFolder(t);
  const file = writeLines(join(folder, 'file'), ['text']);
  mkdirSync(join(folder, 'manifest/manifest.json'), { recursive: true });
  for (const [path, code] of [
    [folder, 'ENOENT'],
    [join(folder, 'nowhere'), 'ENOENT'],
    [file, 'ENOTDIR'],
    [join(folder, 'manifest'), 'EISDIR'],
  ] as const) {
    const expected = {
      name: 'IndexError',
      message: `(${code}); ${path} is not an index, make one with farsight build`,
    };
    t.throws(() => openIndex(path), expected);
    t.throws(() => inspectIndex(path), expected);
    t.strictSame(sectionsOf(path, true), ['manifest']);
  }
});

t.test('inspect names the file it cannot read', async (t) => {
  const directory = await smallIndex(t);
  const path = join(directory, 'visual.starts.0');
  truncateSync(path, HEADER_BYTES + 4);
  t.throws(() => inspectIndex(directory), { name: 'IndexError', message: path });
  rmSync(path);
  t.throws(() => inspectIndex(directory), { name: 'IndexError', message: path });
});

t.test('sections and shards are asked for by names that exist', async (t) => {
  const directory = await smallIndex(t);
  const manifest = readManifest(directory);
  const [section] = manifest.sections as [(typeof manifest.sections)[number]];
  t.throws(() => checkShard(directory, section, 1), RangeError);
  t.throws(() => readWords(directory, manifest, 'other'), { name: 'IndexError', message: /section other is missing/ });
  t.equal(native.sectionBytes(mapSection(directory, section)), section.bytes);
});

/** Items with keys and metadata in one dense modality: every kind of section but a sparse one in few bytes. */
async function smallIndex(t: Test, seed = 1): Promise<string> {
  const folder = temporaryFolder(t);
  const out = join(folder, 'index');
  const lines = Array.from({ length: ITEMS }, (_, item) => `${item}`);
  await build(
    out,
    { visual: [writeVectors(join(folder, 'visual.npy'), 3, groupedValues(seed, ITEMS, 3, 4, 0.1))] },
    {
      clusterSize: 4,
      ids: writeLines(join(folder, 'ids.txt'), lines),
      metadata: writeLines(
        join(folder, 'metadata.jsonl'),
        lines.map((line) => `{"number":${line}}`),
      ),
    },
  );
  return out;
}

function shardsOf(directory: string): { file: string; section: string; bytes: number }[] {
  return readManifest(directory).sections.flatMap(({ name, shards }) =>
    shards.map(({ file, bytes }) => ({ file, section: name, bytes })),
  );
}

/** The sections verify finds fault with; every finding names a file of them. */
function sectionsOf(directory: string, deep: boolean): string[] {
  const { findings } = verifyIndex(directory, deep, () => {});
  const named = ({ section, detail }: Finding) =>
    detail.includes(section === 'manifest' ? basename(directory) : `${section}.0`);
  if (!findings.every(named)) throw new Error(`a finding names no file: ${JSON.stringify(findings)}`);
  return findings.map(({ section }) => section);
}

function flip(bytes: Uint8Array, bit: number): void {
  (bytes[bit >> 3] as number) ^= 1 << (bit & 7);
}

function withFlipped(path: string, bit: number, check: () => void): void {
  const bytes = readFileSync(path);
  flip(bytes, bit);
  writeFileSync(path, bytes);
  check();
  flip(bytes, bit);
  writeFileSync(path, bytes);
}

function sealHeader(bytes: Buffer): void {
  bytes.writeUInt32LE(native.crc32c(0, bytes.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4);
}

function throwsIndexError(operation: () => unknown): boolean {
  try {
    operation();
    return false;
  } catch (error) {
    if (error instanceof IndexError) return true;
    throw error;
  }
}
