// The footer of an Arrow file: that it is there, and the schema of a file that has it there alone, as apache-arrow's
// JavaScript writes them, made into the message that other files begin with.
// https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format and format/File.fbs, format/Message.fbs of Arrow

import { fieldOf, targetOf } from './arrow-metadata.ts';
import type { InputFile } from './input-file.ts';

/** Ends the file, behind the footer's length in four bytes. */
const MAGIC = 'ARROW1';
const END_BYTES = 4 + MAGIC.length;
/** Fields of Footer. */
const VERSION = 0;
const SCHEMA = 1;
/** Where the footer stands in the message made of it: behind the message's own table, aligned to 8 bytes. */
const FOOTER_AT = 32;

/** The schema as a framed message, whose metadata is not checked. Throws an Error that says what is wrong with the footer. */
export function schemaMessage(file: InputFile, maxBytes: number): Uint8Array {
  const footer = readFooter(file, maxBytes);
  const view = new DataView(footer.buffer);
  const table = targetOf(view, 0);
  const schema = fieldOf(view, table, SCHEMA);
  if (schema === null) throw new Error('no schema, neither before the batches nor in the footer');
  const version = fieldOf(view, table, VERSION);
  const schemaAt = targetOf(view, schema);
  if (schemaAt >= footer.length) throw new Error(`a footer whose schema is at byte ${schemaAt} of ${footer.length}`);
  return framed(footer, schemaAt, version === null ? 0 : view.getInt16(version, true));
}

/** A file that is cut off behind a batch lacks nothing else. Returns the footer's length; throws an Error as schemaMessage. */
export function requireFooter(file: InputFile, maxBytes: number): number {
  const end = Buffer.alloc(END_BYTES);
  if (file.size >= END_BYTES) file.read(file.size - END_BYTES, end);
  if (end.toString('latin1', 4) !== MAGIC) throw new Error(`no footer: the file does not end in ${MAGIC}`);
  const bytes = end.readInt32LE(0);
  if (bytes > 0 && bytes <= Math.min(maxBytes, file.size - END_BYTES)) return bytes;
  throw new Error(`a footer of ${bytes} bytes in a file of ${file.size}`);
}

function readFooter(file: InputFile, maxBytes: number): Uint8Array {
  const bytes = requireFooter(file, maxBytes);
  const footer = new Uint8Array(bytes);
  file.read(file.size - END_BYTES - bytes, footer);
  return footer;
}

/** Offsets of flatbuffers lead forward from where they stand, so a Message table before the footer can name its schema. */
function framed(footer: Uint8Array, schemaAt: number, version: number): Uint8Array {
  const bytes = FOOTER_AT + Math.ceil(footer.length / 8) * 8;
  const message = new Uint8Array(8 + bytes);
  const view = new DataView(message.buffer, 8);
  new DataView(message.buffer).setUint32(0, 0xffffffff, true); // the mark that a length follows
  new DataView(message.buffer).setInt32(4, bytes, true);
  view.setUint32(0, 16, true); // where the table is
  view.setUint16(4, 10, true); // the vtable: its bytes, the table's, and where in it three fields are
  view.setUint16(6, 12, true);
  view.setUint16(8, 4, true); // version
  view.setUint16(10, 6, true); // type of the header
  view.setUint16(12, 8, true); // header
  view.setInt32(16, 16 - 4, true); // the table: how far back its vtable is
  view.setInt16(20, version, true);
  view.setUint8(22, 1); // Schema
  view.setUint32(24, FOOTER_AT + schemaAt - 24, true);
  message.set(footer, 8 + FOOTER_AT);
  return message;
}
