// What a small picture looks like, in 416 numbers: where which colour is, how much of each colour, and edges.
// Three blocks, each scaled to unit length and weighted, so that no block drowns another:
//   layout     8 x 8 cells of mean OKLab colour and coverage (256)
//   histogram  8 greys and 24 hues, square roots of their shares (32)
//   edges      4 x 4 cells x 8 orientations of the lightness gradient (128), as HOG (Dalal and Triggs 2005)
// OKLab: Björn Ottosson, https://bottosson.github.io/posts/oklab/; distances in it follow what people see.

import type { Picture } from './picture.ts';

const LAYOUT_CELLS = 8;
const LAYOUT_DIMS = LAYOUT_CELLS * LAYOUT_CELLS * 4;
const GREYS = 8;
const HUES = 24;
const HISTOGRAM_DIMS = GREYS + HUES;
const EDGE_CELLS = 4;
const ORIENTATIONS = 8;
const EDGE_DIMS = EDGE_CELLS * EDGE_CELLS * ORIENTATIONS;

export const VISUAL_DIMS = LAYOUT_DIMS + HISTOGRAM_DIMS + EDGE_DIMS;

const LAYOUT_WEIGHT = 1;
const HISTOGRAM_WEIGHT = 0.8;
const EDGE_WEIGHT = 1;

/** OKLab's a and b reach about 0.3 where lightness reaches 1. */
const CHROMA_GAIN = 2;
/** Below this chroma a pixel counts as grey. */
const GREY_CHROMA = 0.04;
/** Transparent parts show as middle grey, so that dark and light shapes have outlines alike. */
const BACKGROUND_LIGHTNESS = 0.5;

/** Fills `out` (VISUAL_DIMS). */
export function describePicture(picture: Picture, out: Float32Array): void {
  const lab = toOklab(picture);
  const layout = out.subarray(0, LAYOUT_DIMS);
  const histogram = out.subarray(LAYOUT_DIMS, LAYOUT_DIMS + HISTOGRAM_DIMS);
  const edges = out.subarray(LAYOUT_DIMS + HISTOGRAM_DIMS, VISUAL_DIMS);
  addLayout(lab, layout);
  addHistogram(lab, histogram);
  addEdges(lab, edges);
  for (let at = 0; at < histogram.length; at++) histogram[at] = Math.sqrt(histogram[at] as number);
  for (let at = 0; at < edges.length; at++) edges[at] = Math.sqrt(edges[at] as number);
  scaleTo(layout, LAYOUT_WEIGHT);
  scaleTo(histogram, HISTOGRAM_WEIGHT);
  scaleTo(edges, EDGE_WEIGHT);
}

/**
 * Takes the mean vector from every row, then scales rows to unit length: what all pictures share (a coloured thing in the
 * middle of nothing) would otherwise make every cosine large.
 */
export function centreToUnitLength(vectors: Float32Array, dims: number): void {
  const mean = new Float64Array(dims);
  const rows = vectors.length / dims;
  for (let at = 0; at < vectors.length; at++)
    mean[at % dims] = (mean[at % dims] as number) + (vectors[at] as number) / rows;
  for (let at = 0; at < vectors.length; at++) vectors[at] = (vectors[at] as number) - (mean[at % dims] as number);
  for (let row = 0; row < rows; row++) scaleTo(vectors.subarray(row * dims, (row + 1) * dims), 1);
}

/** Pixels as lightness, a, b and coverage, four floats each. */
interface LabPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Float32Array;
}

function toOklab({ width, height, rgba }: Picture): LabPicture {
  const pixels = new Float32Array(width * height * 4);
  for (let at = 0; at < pixels.length; at += 4) {
    const red = LINEAR[rgba[at] as number] as number;
    const green = LINEAR[rgba[at + 1] as number] as number;
    const blue = LINEAR[rgba[at + 2] as number] as number;
    const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
    const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
    const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
    pixels[at] = 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
    pixels[at + 1] = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
    pixels[at + 2] = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
    pixels[at + 3] = (rgba[at + 3] as number) / 255;
  }
  return { width, height, pixels };
}

/** Linear light of an sRGB byte. */
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

/** Sums colour by coverage; cells have the same size, so sums serve as means. */
function addLayout({ width, height, pixels }: LabPicture, out: Float32Array): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      const cell = cellOf(x, y, width, height, LAYOUT_CELLS) * 4;
      const coverage = pixels[at + 3] as number;
      add(out, cell, coverage * (pixels[at] as number));
      add(out, cell + 1, coverage * CHROMA_GAIN * (pixels[at + 1] as number));
      add(out, cell + 2, coverage * CHROMA_GAIN * (pixels[at + 2] as number));
      add(out, cell + 3, coverage);
    }
  }
}

/** Greys by lightness, others by hue; a pixel is shared between the two nearest bins. */
function addHistogram({ pixels }: LabPicture, out: Float32Array): void {
  for (let at = 0; at < pixels.length; at += 4) {
    const coverage = pixels[at + 3] as number;
    if (coverage === 0) continue;
    const a = pixels[at + 1] as number;
    const b = pixels[at + 2] as number;
    if (Math.sqrt(a * a + b * b) < GREY_CHROMA) {
      const place = Math.min(Math.max(pixels[at] as number, 0), 1) * (GREYS - 1);
      const bin = Math.min(Math.floor(place), GREYS - 2);
      add(out, bin, coverage * (bin + 1 - place));
      add(out, bin + 1, coverage * (place - bin));
    } else {
      const place = (Math.atan2(b, a) / (2 * Math.PI) + 1) * HUES;
      const bin = Math.floor(place);
      add(out, GREYS + (bin % HUES), coverage * (bin + 1 - place));
      add(out, GREYS + ((bin + 1) % HUES), coverage * (place - bin));
    }
  }
}

/** Gradients of the lightness over the background, without their sign, shared between the two nearest orientations. */
function addEdges({ width, height, pixels }: LabPicture, out: Float32Array): void {
  const light = (x: number, y: number) => {
    const at = (Math.min(Math.max(y, 0), height - 1) * width + Math.min(Math.max(x, 0), width - 1)) * 4;
    return ((pixels[at] as number) - BACKGROUND_LIGHTNESS) * (pixels[at + 3] as number);
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dx = light(x + 1, y) - light(x - 1, y);
      const dy = light(x, y + 1) - light(x, y - 1);
      const strength = Math.sqrt(dx * dx + dy * dy);
      if (strength === 0) continue;
      const place = (Math.atan2(dy, dx) / Math.PI + 1) * ORIENTATIONS;
      const bin = Math.floor(place);
      const cell = cellOf(x, y, width, height, EDGE_CELLS) * ORIENTATIONS;
      add(out, cell + (bin % ORIENTATIONS), strength * (bin + 1 - place));
      add(out, cell + ((bin + 1) % ORIENTATIONS), strength * (place - bin));
    }
  }
}

function cellOf(x: number, y: number, width: number, height: number, cells: number): number {
  return Math.floor((y * cells) / height) * cells + Math.floor((x * cells) / width);
}

function add(out: Float32Array, at: number, value: number): void {
  out[at] = (out[at] as number) + value;
}

/** Scales to a length; a zero vector stays. */
function scaleTo(vector: Float32Array, length: number): void {
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (squares === 0) return;
  const factor = length / Math.sqrt(squares);
  for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] as number) * factor;
}
