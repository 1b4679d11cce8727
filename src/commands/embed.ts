// farsight embed

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type EmbedSummary, embedPictures } from '../../index-builder/embed/embed.ts';
import { INSTALL } from '../../index-builder/embed/embed-error.ts';
import { POOLS } from '../../index-builder/embed/encoder.ts';
import { IMAGENET, inputSize, MOST_EDGE, type Preprocessing } from '../../index-builder/embed/preprocessing.ts';
import { parsePreprocessorConfig } from '../../index-builder/embed/preprocessor-config.ts';
import { INTERPOLATIONS, type Size } from '../../index-builder/embed/resample.ts';
import { type Command, choiceFlag, ProgressLine, parseFlags, print, UsageError, wholeFlag } from './command.ts';

const DEFAULT_BATCH = 32;
const MOST_BATCH = 4096;
const CHECKPOINT_MS = 5000;
const MAX_THREADS = 256;
const LAYOUTS = ['nchw', 'nhwc'] as const;

export const embed: Command = {
  summary: 'make vectors of pictures with an ONNX image encoder',
  help: `farsight embed DIR|GLOB --model ENCODER.onnx --out DIR [options]

Decodes the pictures of a folder and of the folders in it (or those a pattern like 'photos/*.jpg' matches), prepares them
as the encoder was trained, and writes one vector a picture, in the order of their names. Needs two packages that are not
installed with farsight: ${INSTALL}

  --model FILE         the encoder: one input of pictures x 3 x height x width (or x height x width x 3)
  --out DIR            where the result will stand; embeddings that are there are replaced. Holds
                       embeddings.npy     float32, a row a picture: --modality visual=DIR/embeddings.npy
                       keys.txt           the paths of the rows, for --ids
                       thumbnails.txt     the same as seen from DIR, for --thumbnails
                       unreadable.jsonl   pictures that were skipped, and why
                       embed.json         counts, model and preparation
  --preprocessor FILE  preprocessor_config.json of Hugging Face; the flags below win over it
  --resize N|WxH       the shorter edge, or both (default 256)
  --crop N|WxH|none    the middle (default 224)
  --mean R,G,B --std R,G,B   of levels from 0 to 1 (default ImageNet's .485,.456,.406 and .229,.224,.225)
  --interpolation ${INTERPOLATIONS.join('|')}   as Pillow does it (default bilinear)
  --background RRGGBB|none   what shows through transparent parts (default ffffff); none: their hidden colours
  --batch N            pictures at a time (default ${DEFAULT_BATCH}); a model made for a fixed number wins
  --threads N          threads that decode and that encode (default: all cores)
  --output NAME        the model's output; needed where several could be meant
  --layout nchw|nhwc   where the model's input does not tell
  --pool average|first   one vector of feature maps (their mean) or of tokens (their mean, or the first)
  --resume             go on from what a killed run left in DIR.embedding; the files are the same bytes
  --json               print the result as JSON`,

  async run(args) {
    const { values, positionals } = parseFlags(args, {
      model: { type: 'string' },
      out: { type: 'string' },
      preprocessor: { type: 'string' },
      resize: { type: 'string' },
      crop: { type: 'string' },
      mean: { type: 'string' },
      std: { type: 'string' },
      interpolation: { type: 'string' },
      background: { type: 'string' },
      batch: { type: 'string' },
      threads: { type: 'string' },
      output: { type: 'string' },
      layout: { type: 'string' },
      pool: { type: 'string' },
      resume: { type: 'boolean' },
      json: { type: 'boolean' },
    });
    const [pictures, ...more] = positionals;
    if (pictures === undefined) throw new UsageError('DIR is missing: name a folder of pictures');
    if (more.length > 0) throw new UsageError(`unexpected argument ${more[0]}; put a pattern in quotes`);
    const { model, out, output, layout } = values;
    if (model === undefined) throw new UsageError('--model ENCODER.onnx is missing');
    if (out === undefined) throw new UsageError('--out DIR is missing');
    const options = {
      pictures,
      model,
      out,
      preprocessing: preprocessingOf(values.preprocessor, changesOf(values)),
      batch: wholeFlag('batch', values.batch, DEFAULT_BATCH, 1, MOST_BATCH),
      threads: wholeFlag('threads', values.threads, availableParallelism(), 1, MAX_THREADS),
      ...(output === undefined ? {} : { output }),
      ...(layout === undefined ? {} : { layout: choiceFlag('layout', layout, 'nchw', LAYOUTS) }),
      pool: choiceFlag('pool', values.pool, 'none', POOLS),
      resume: values.resume ?? false,
      checkpointMs: CHECKPOINT_MS,
    };
    const started = performance.now();
    const progress = new ProgressLine();
    let summary: EmbedSummary;
    try {
      summary = await embedPictures(options, (done, total) => progress.report('embed', done, total, 'pictures'));
    } finally {
      progress.end();
    }
    const seconds = (performance.now() - started) / 1000;
    const { embedded, unreadable, dims, resumed } = summary;
    if (unreadable > 0) {
      process.stderr.write(
        `farsight embed: ${unreadable} pictures cannot be read and were skipped: ${out}/unreadable.jsonl\n`,
      );
    }
    if (values.json) print(JSON.stringify({ ...summary, seconds }));
    else {
      const before = resumed > 0 ? `, ${resumed} of them dealt with before` : '';
      print(`${out}: ${embedded} pictures${before}, ${dims} dimensions, in ${seconds.toFixed(1)} s`);
    }
    return 0;
  },
};

type Flags = Readonly<Partial<Record<'resize' | 'crop' | 'mean' | 'std' | 'interpolation' | 'background', string>>>;

/** What the flags say of the preparation, and nothing else. */
function changesOf({ resize, crop, mean, std, interpolation, background }: Flags): Partial<Preprocessing> {
  return {
    ...(resize === undefined ? {} : { resize: resizeFlag(resize) }),
    ...(crop === undefined ? {} : { crop: crop === 'none' ? null : sizeFlag('crop', crop) }),
    ...(mean === undefined ? {} : { mean: channelsFlag('mean', mean, (value) => Number.isFinite(value)) }),
    ...(std === undefined ? {} : { deviation: channelsFlag('std', std, (value) => value > 0 && value < Infinity) }),
    ...(interpolation === undefined
      ? {}
      : { interpolation: choiceFlag('interpolation', interpolation, 'bilinear', INTERPOLATIONS) }),
    ...(background === undefined ? {} : { background: background === 'none' ? null : colourFlag(background) }),
  };
}

function preprocessingOf(path: string | undefined, changes: Partial<Preprocessing>): Preprocessing {
  const preprocessing =
    path === undefined ? { ...IMAGENET, ...changes } : parsePreprocessorConfig(path, textOf(path), changes);
  let size: Size;
  try {
    size = inputSize(preprocessing);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { width, height } = size;
  if (width > MOST_EDGE || height > MOST_EDGE) {
    throw new UsageError(`pictures of ${width}x${height}: expected edges of at most ${MOST_EDGE}`);
  }
  return preprocessing;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--preprocessor ${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function resizeFlag(text: string): Preprocessing['resize'] {
  const size = sizeFlag('resize', text);
  return text.includes('x') ? size : { shortest: size.width };
}

function sizeFlag(name: string, text: string): Size {
  const [, width, height = width] = /^([1-9][0-9]{0,3})(?:x([1-9][0-9]{0,3}))?$/.exec(text) ?? [];
  if (width === undefined) throw new UsageError(`--${name} ${text}: expected pixels like 224, or 320x240`);
  return { width: Number(width), height: Number(height) };
}

function channelsFlag(name: string, text: string, isGood: (value: number) => boolean): [number, number, number] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [red = Number.NaN, green = red, blue = red] = numbers;
  const channels: [number, number, number] = [red, green, blue];
  if ((numbers.length === 3 || numbers.length === 1) && channels.every(isGood)) return channels;
  throw new UsageError(`--${name} ${text}: expected one number or three like 0.485,0.456,0.406`);
}

function colourFlag(text: string): [number, number, number] {
  const [, red = '', green = '', blue = ''] = /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text) ?? [];
  if (red === '') throw new UsageError(`--background ${text}: expected a colour like ffffff, or none`);
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
}
