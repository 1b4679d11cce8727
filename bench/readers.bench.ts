// How fast the builder reads each input format: one pass over the same drawn float32 rows, from files in the page cache,
// as MB of the file and as vectors a second. `file alone` is the same bytes through the same calls without decoding them.
//
//   node dist/bench/readers.bench.js [rows=20000] [dims=512] [text_rows=3000] [repetitions=5]
//
// Every format is read in turns, and its sum is compared with the drawn rows': what is fast is also right.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputFile } from '../index-builder/readers/input-file.ts';
import { openReader } from '../index-builder/readers/open-reader.ts';
import { cpuMs, printTable, quantiles, short, writeRun } from './measure.ts';
import { drawnRows, type WrittenFile, writeBinary, writeText } from './readers/written.ts';

/** As the builder asks for them. */
const CHUNK_ROWS = 8192;
const READ_BYTES = 2 ** 21;

const given = Object.fromEntries(process.argv.slice(2).map((word) => word.split('=')));
const dims = Number(given['dims'] ?? 512);
const rows = Number(given['rows'] ?? 20_000);
const textRows = Number(given['text_rows'] ?? 3000);
const repetitions = Number(given['repetitions'] ?? 5);

const folder = mkdtempSync(join(tmpdir(), 'farsight-readers-'));
try {
  const values = drawnRows(rows, dims);
  const files = [...(await writeBinary(folder, values, dims)), ...writeText(folder, values, dims, textRows)];
  const measured = files.map((file) => ({ file, wall: [] as number[], cpu: [] as number[], alone: [] as number[] }));
  for (let repetition = -1; repetition < repetitions; repetition++) {
    for (const { file, wall, cpu, alone } of measured) {
      const before = cpuMs();
      const started = performance.now();
      const sum = await readThrough(file);
      const ms = performance.now() - started;
      const spent = cpuMs() - before;
      requireSum(file, sum, values);
      const aloneMs = readAlone(file.path);
      // The first pass warms the caches and the compiler.
      if (repetition < 0) continue;
      wall.push(ms);
      cpu.push(spent);
      alone.push(aloneMs);
    }
  }
  const table = measured.map(({ file, wall, cpu, alone }) => {
    const bytes = statSync(file.path).size;
    const ms = quantiles(wall).median;
    return {
      format: file.format,
      rows: file.rows,
      bytes,
      mb_per_second: bytes / 1e3 / ms,
      rows_per_second: (1e3 * file.rows) / ms,
      milliseconds: ms,
      cpu_milliseconds: quantiles(cpu).median,
      file_alone_mb_per_second: bytes / 1e3 / quantiles(alone).median,
    };
  });
  printTable(
    `One pass of ${dims} dimensions, ${repetitions} repetitions in turns, medians`,
    table.map((row) => ({
      format: row.format,
      rows: row.rows,
      MB: short(row.bytes / 1e6),
      'MB/s': short(row.mb_per_second),
      'vectors/s': short(row.rows_per_second),
      'CPU ms': short(row.cpu_milliseconds),
      'file alone, MB/s': short(row.file_alone_mb_per_second),
    })),
  );
  process.stdout.write(`${writeRun('readers', { dims, rows, text_rows: textRows, repetitions, formats: table })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The sum of the first number of each row: enough to see every row, too little to be what is measured. */
async function readThrough({ path, options }: WrittenFile): Promise<number> {
  const { reader } = await openReader(path, new Map(Object.entries(options)));
  let sum = 0;
  for await (const chunk of reader.chunks(CHUNK_ROWS, 0)) {
    for (let at = 0; at < chunk.values.length; at += reader.perRow) sum += chunk.values[at] as number;
  }
  reader.close();
  return sum;
}

function requireSum({ format, rows }: WrittenFile, sum: number, values: Float32Array): void {
  let expected = 0;
  for (let row = 0; row < rows; row++) {
    const value = values[row * dims] as number;
    expected += format.includes('uint8') ? Math.trunc((value + 2) * 63) : value;
  }
  if (sum !== expected) throw new Error(`${format}: the rows sum to ${sum}; expected ${expected}`);
}

function readAlone(path: string): number {
  const started = performance.now();
  const file = new InputFile(path);
  const buffer = new Uint8Array(READ_BYTES);
  for (let at = 0; at < file.size; at += READ_BYTES) {
    file.read(at, buffer.subarray(0, Math.min(READ_BYTES, file.size - at)));
  }
  file.close();
  return performance.now() - started;
}
