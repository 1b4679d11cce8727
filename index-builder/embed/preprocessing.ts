// How a picture becomes the numbers an encoder was trained on: resize, crop, scale, subtract a mean, divide by a deviation.
// Told by flags in torchvision's terms, by a preprocessor_config.json of Hugging Face, or by both (flags win).

import { EmbedError } from './embed-error.ts';
import type { Interpolation, Region, Size } from './resample.ts';

/** The shorter edge to a length, keeping the shape of the picture, or both edges to a size. */
export type Resize = { readonly shortest: number } | Size;

export interface Preprocessing {
  readonly resize: Resize;
  /** The middle of the resized picture; null for all of it, which needs a resize to a size. */
  readonly crop: Size | null;
  /** Where an odd number of pixels is cut off: torchvision rounds half to even, Hugging Face down. */
  readonly cropRounding: 'half-even' | 'down';
  readonly interpolation: Interpolation;
  /** value = (level * scale - mean) / deviation, per channel. */
  readonly scale: number;
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
  /** Straight RGB that shows through transparent pixels; null leaves the colours under them as they are stored. */
  readonly background: readonly [number, number, number] | null;
}

/** torchvision's transforms of ImageNet, which VICReg's evaluation and most ResNets use. */
export const IMAGENET: Preprocessing = {
  resize: { shortest: 256 },
  crop: { width: 224, height: 224 },
  cropRounding: 'half-even',
  interpolation: 'bilinear',
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  deviation: [0.229, 0.224, 0.225],
  background: [255, 255, 255],
};

/** Edges of what an encoder sees. */
export const MOST_EDGE = 4096;

/** The size of the tensor; throws EmbedError where pictures would differ in size or the crop has no room. */
export function inputSize({ resize, crop }: Preprocessing): Size {
  if (crop === null) {
    if ('shortest' in resize) {
      throw new EmbedError(
        `--resize ${resize.shortest} without a crop gives pictures of different sizes; add --crop N, or --resize WIDTHxHEIGHT`,
      );
    }
    return resize;
  }
  const least = 'shortest' in resize ? { width: resize.shortest, height: resize.shortest } : resize;
  if (crop.width > least.width || crop.height > least.height) {
    throw new EmbedError(
      `--crop ${crop.width}x${crop.height} is larger than --resize ${least.width}x${least.height} leaves; make it at most that`,
    );
  }
  return crop;
}

/** What a picture is resized to, and which part of that is kept. */
export function placement(
  { resize, crop, cropRounding }: Preprocessing,
  picture: Size,
): { size: Size; region: Region } {
  const size = 'shortest' in resize ? scaled(picture, resize.shortest) : resize;
  if (crop === null) return { size, region: { ...size, left: 0, top: 0 } };
  const offset = cropRounding === 'down' ? Math.floor : roundHalfEven;
  const left = offset((size.width - crop.width) / 2);
  const top = offset((size.height - crop.height) / 2);
  return { size, region: { ...crop, left, top } };
}

/** Both libraries cut the longer edge down to a whole pixel. */
function scaled({ width, height }: Size, shortest: number): Size {
  return width <= height
    ? { width: shortest, height: Math.trunc((shortest * height) / width) }
    : { width: Math.trunc((shortest * width) / height), height: shortest };
}

/** Python's round. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const isHalf = value - floor === 0.5;
  return isHalf ? floor + (floor % 2) : Math.round(value);
}
