// Resizing is Pillow's, bit for bit. test/fixtures/pillow/make.py made what is expected here, with Pillow itself.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { INTERPOLATIONS, type Interpolation, type RgbPicture, resample } from '../../index-builder/embed/resample.ts';

interface Expected {
  readonly width: number;
  readonly height: number;
  readonly cases: readonly { filter: Interpolation; width: number; height: number; rgb: string }[];
}

const expected: Expected = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/pillow/resized.json', import.meta.url), 'utf8'),
);
const picture = formula(expected);

t.test('every kernel gives the pixels that Pillow gives, smaller, larger and with one edge kept', async (t) => {
  t.strictSame([...new Set(expected.cases.map(({ filter }) => filter))].sort(), [...INTERPOLATIONS].sort());
  for (const { filter, width, height, rgb } of expected.cases) {
    const resized = resample(picture, { width, height }, { left: 0, top: 0, width, height }, filter);
    t.ok(Buffer.from(resized).equals(Buffer.from(rgb, 'base64')), `${filter} to ${width} x ${height}`);
  }
});

t.test('a region is cut from the resized picture, not from the one that is resized', async (t) => {
  for (const size of [
    { width: 20, height: 14 },
    { width: 31, height: 40 },
  ]) {
    const whole = resample(picture, size, { ...size, left: 0, top: 0 }, 'bicubic');
    const region = { left: 3, top: 2, width: 11, height: 9 };
    const part = resample(picture, size, region, 'bicubic');
    for (let y = 0; y < region.height; y++) {
      const from = ((y + region.top) * size.width + region.left) * 3;
      const row = part.subarray(y * region.width * 3, (y + 1) * region.width * 3);
      t.strictSame([...row], [...whole.subarray(from, from + region.width * 3)], `row ${y} of ${size.width}`);
    }
  }
});

/** As make.py has it. */
function formula({ width, height }: Expected): RgbPicture {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++, at++) {
        const isEven = (Math.floor(x / 7) + Math.floor(y / 5) + channel) % 2 === 0;
        rgb[at] = isEven ? (x * 3 + y * 2 + channel * 40) % 256 : 255 * Math.floor((x % 3) / 2);
      }
    }
  }
  return { width, height, rgb };
}
