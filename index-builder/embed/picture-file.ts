// From a picture file of any usual kind to upright RGB pixels; the one file that knows sharp (libvips), which is loaded
// only here.
//   orientation of EXIF applied · grey, CMYK and 16-bit pictures become 8-bit RGB · of an animation the first frame
//   transparent parts show the background · colour profiles apply to CMYK alone, because training ignores those of RGB

import { readFile, stat } from 'node:fs/promises';
import type { Sharp } from 'sharp';
import { EmbedError, INSTALL } from './embed-error.ts';
import type { RgbPicture } from './resample.ts';

/** Read whole; the largest photographs are a few hundred megabytes. */
const MOST_FILE_BYTES = 2 ** 30;
/** Decoded, three bytes each: 800 MB a thread at most. */
const MOST_PIXELS = 2 ** 28;

type SharpModule = typeof import('sharp')['default'];

/** Throws EmbedError with the command that installs it. */
export async function loadSharp(): Promise<SharpModule> {
  try {
    const { default: sharp } = await import('sharp');
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new EmbedError(`sharp, which decodes pictures, cannot be loaded (${reason}); run: ${INSTALL}`);
  }
}

/** Throws an Error that says in a few words what is wrong with the file. */
export async function readPicture(
  sharp: SharpModule,
  path: string,
  background: readonly [number, number, number] | null,
): Promise<RgbPicture> {
  const bytes = await readBytes(path);
  const options = { failOn: 'truncated', limitInputPixels: MOST_PIXELS, sequentialRead: true } as const;
  const { space, hasAlpha } = await sharp(bytes, options).metadata();
  const open = (): Sharp => sharp(bytes, { ...options, ignoreIcc: space !== 'cmyk' }).autoOrient();
  const [r, g, b] = background ?? [0, 0, 0];
  const straight = !hasAlpha
    ? open()
    : background === null
      ? open().removeAlpha()
      : open().flatten({ background: { r, g, b } });
  const { data, info } = await straight
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`decodes to ${info.channels} channels instead of 3`);
  return { width: info.width, height: info.height, rgb: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size === 0) throw new Error('is empty');
    if (size > MOST_FILE_BYTES) throw new Error(`has ${size} bytes; at most ${MOST_FILE_BYTES} are read`);
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(code === undefined ? message : `cannot be read (${code})`);
  }
}
