// What goes between the thread that encodes and those that decode pictures. Pixels do not: they are written to shared
// memory.

import type { Preprocessing } from './preprocessing.ts';
import type { Layout } from './tensor.ts';

export interface DecoderSetup {
  readonly preprocessing: Preprocessing;
  readonly layout: Layout;
  /** Of one picture's part of a tensor. */
  readonly values: number;
}

export interface DecodeRequest {
  readonly ticket: number;
  readonly path: string;
  /** The tensor of a batch, and the place of the picture in it. */
  readonly tensor: SharedArrayBuffer;
  readonly slot: number;
}

export interface DecodeReply {
  readonly ticket: number;
  /** Why the picture cannot be read; null when its place is filled. */
  readonly problem: string | null;
}
