// Records of an append-only file: each frame is a mark, the length and the CRC-32C of its payload, and the payload.
// A frame is whole or it is not there; a frame that is not whole is told from one that was damaged later by what follows.

import { native } from '../native.ts';

/** "FSS1" in the order of bytes. */
const MARK = 0x31535346;
const HEAD_BYTES = 12;

/** A payload in its frame. */
export function frame(payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES + payload.length);
  bytes.writeUInt32LE(MARK, 0);
  bytes.writeUInt32LE(payload.length, 4);
  bytes.writeUInt32LE(native.crc32c(0, payload), 8);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** What a file holds. */
export interface Frames {
  /** Payloads of the whole frames from the start on. */
  readonly payloads: readonly Uint8Array[];
  /** Bytes of those frames. */
  readonly end: number;
  /** Whether a whole frame follows one that is not: then it is damage, and not a write that was cut off. */
  readonly damaged: boolean;
}

/** The frames of a file. */
export function readFrames(bytes: Buffer): Frames {
  const payloads: Uint8Array[] = [];
  let end = 0;
  for (let payload = frameAt(bytes, end); payload !== null; payload = frameAt(bytes, end)) {
    payloads.push(payload);
    end += HEAD_BYTES + payload.length;
  }
  return { payloads, end, damaged: hasFrame(bytes, end + 1) };
}

/** The payload of the frame that begins at a place, or null. */
function frameAt(bytes: Buffer, at: number): Uint8Array | null {
  if (at + HEAD_BYTES > bytes.length || bytes.readUInt32LE(at) !== MARK) return null;
  const length = bytes.readUInt32LE(at + 4);
  if (length > bytes.length - at - HEAD_BYTES) return null;
  const payload = bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
  return native.crc32c(0, payload) === bytes.readUInt32LE(at + 8) ? payload : null;
}

/** Whether a whole frame begins anywhere from a place on. */
function hasFrame(bytes: Buffer, from: number): boolean {
  const mark = Buffer.alloc(4);
  mark.writeUInt32LE(MARK);
  for (let at = bytes.indexOf(mark, from); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    if (frameAt(bytes, at) !== null) return true;
  }
  return false;
}
