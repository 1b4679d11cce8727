// How fast `farsight embed` is around an encoder: drawn JPEG photographs of 640 x 480 through decoding, Pillow's resizing,
// and the small model of the tests, whose own arithmetic is next to nothing, so that the rest is what is measured.
//
//   node dist/bench/embed.bench.js [pictures=200] [repetitions=3]

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { embedPictures } from '../index-builder/embed/embed.ts';
import { IMAGENET } from '../index-builder/embed/preprocessing.ts';
import { seededRandom } from '../src/random.ts';
import { convolution, EDGE, INPUT } from './embed/encoders.ts';
import { cpuMs, printTable, quantiles, short, writeRun } from './measure.ts';

const WIDTH = 640;
const HEIGHT = 480;
const BATCH = 32;

const given = Object.fromEntries(process.argv.slice(2).map((word) => word.split('=')));
const pictures = Number(given['pictures'] ?? 200);
const repetitions = Number(given['repetitions'] ?? 3);

const folder = mkdtempSync(join(tmpdir(), 'farsight-embed-'));
try {
  const photos = join(folder, 'photos');
  const bytes = await writePhotos(photos);
  const cases = [
    // The usual preparation, and pictures that the decoder alone must bring down to what the model takes.
    { edge: 224, resize: 256 },
    { edge: EDGE, resize: EDGE },
  ];
  const threads = [...new Set([1, availableParallelism()])];
  const rows: Record<string, number>[] = [];
  for (const { edge, resize } of cases) {
    const shape = ['pictures', 3, edge, edge];
    const model = convolution(join(folder, `encoder-${edge}.onnx`), { inputs: [{ ...INPUT, shape }] });
    for (const count of threads) {
      const wall: number[] = [];
      const cpu: number[] = [];
      for (let repetition = -1; repetition < repetitions; repetition++) {
        const before = cpuMs();
        const started = performance.now();
        const { embedded } = await embedPictures(
          {
            pictures: photos,
            model,
            out: join(folder, 'out'),
            preprocessing: { ...IMAGENET, resize: { shortest: resize }, crop: { width: edge, height: edge } },
            batch: BATCH,
            threads: count,
            pool: 'none',
            resume: false,
            checkpointMs: 5000,
          },
          () => {},
        );
        if (embedded !== pictures) throw new Error(`${embedded} of ${pictures} pictures were embedded`);
        // The first loads the libraries.
        if (repetition < 0) continue;
        wall.push(performance.now() - started);
        cpu.push(cpuMs() - before);
      }
      const ms = quantiles(wall).median;
      rows.push({
        edge,
        threads: count,
        pictures_per_second: (1e3 * pictures) / ms,
        mb_per_second: bytes / 1e3 / ms,
        cpu_milliseconds_per_picture: quantiles(cpu).median / pictures,
      });
    }
  }
  printTable(
    `${pictures} JPEG pictures of ${WIDTH} x ${HEIGHT}, ${repetitions} repetitions, medians`,
    rows.map((row) => ({
      'input edge': row['edge'] as number,
      threads: row['threads'] as number,
      'pictures/s': short(row['pictures_per_second'] as number),
      'MB/s': short(row['mb_per_second'] as number),
      'CPU ms/picture': short(row['cpu_milliseconds_per_picture'] as number),
    })),
  );
  process.stdout.write(`${writeRun('embed', { pictures, repetitions, batch: BATCH, rows })}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Smooth waves with a little noise: they compress as photographs do. Returns the bytes of all. */
async function writePhotos(photos: string): Promise<number> {
  mkdirSync(photos);
  let total = 0;
  for (let i = 0; i < pictures; i++) {
    const random = seededRandom(i, 'photo');
    const [a, b, c] = [random.below(100) / 900, random.below(100) / 900, random.below(6)];
    const pixels = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => {
      const pixel = Math.floor(at / 3);
      const wave = Math.sin(a * (pixel % WIDTH) + b * Math.floor(pixel / WIDTH) + c + at);
      return 118 + 90 * wave + random.below(20);
    });
    const jpeg = await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .jpeg({ quality: 85 })
      .toBuffer();
    writeFileSync(join(photos, `${`${i}`.padStart(5, '0')}.jpg`), jpeg);
    total += jpeg.length;
  }
  return total;
}
