// From PNG bytes to pixels; the one file that knows pngjs.

import { PNG } from 'pngjs';

/** Straight (not premultiplied) RGBA, 8 bits each, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

export function decodePicture(png: Uint8Array): Picture {
  const { width, height, data } = PNG.sync.read(Buffer.from(png.buffer, png.byteOffset, png.byteLength));
  return { width, height, rgba: data };
}
