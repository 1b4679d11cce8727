// Picture files for tests, of every kind that differs in how it is decoded.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { seededRandom } from '../../src/random.ts';

const WIDTH = 40;
const HEIGHT = 24;

/** Smooth RGB noise, so that lossy kinds keep it. */
export function pixelsOf(seed: number): Buffer {
  const random = seededRandom(seed, 'picture');
  const waves = Array.from(
    { length: 3 },
    () => [random.below(100) / 300, random.below(100) / 300, random.below(6)] as const,
  );
  return Buffer.from(
    Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => {
      const [a, b, c] = waves[at % 3] as (typeof waves)[number];
      const pixel = Math.floor(at / 3);
      return 128 + 100 * Math.sin(a * (pixel % WIDTH) + b * Math.floor(pixel / WIDTH) + c);
    }),
  );
}

export function open(pixels: Buffer) {
  return sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
}

/** `count` lossless pictures 000.png …, each other, in folders a and b. */
export async function writePictures(folder: string, count: number): Promise<string> {
  for (let i = 0; i < count; i++) {
    await write(
      folder,
      `${i % 3 === 0 ? 'b' : 'a'}/${`${i}`.padStart(3, '0')}.png`,
      await open(pixelsOf(i)).png().toBuffer(),
    );
  }
  return folder;
}

export async function write(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), bytes);
}
