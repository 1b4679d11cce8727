// The lines of a text file, streamed. UTF-8, with \n or \r\n, a byte order mark passed over.

import { InputFile } from './input-file.ts';
import { InputError, type OnRead } from './reader.ts';

const READ_BYTES = 2 ** 20;
/** A vector of a million numbers fits. */
const MAX_LINE_BYTES = 2 ** 26;

const BYTE_ORDER_MARK = '\ufeff';

/** What reading lines holds at most, beside the line. */
export const LINES_BYTES = 4 * READ_BYTES;

/** Lines without their ends; the file is open as long as the generator is. */
export function* linesOf(path: string, onRead: OnRead = () => {}): Generator<string> {
  const file = new InputFile(path);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const buffer = Buffer.alloc(READ_BYTES);
  let held: Buffer[] = [];
  let heldBytes = 0;
  let number = 1;
  const text = (bytes: Buffer): string => {
    const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
    try {
      const line = decoder.decode(bytes.subarray(0, end));
      return number === 1 && line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
    } catch {
      throw new InputError(`${path} line ${number}`, 'is not UTF-8', 'expected text in UTF-8', 'convert the file');
    }
  };
  try {
    for (let at = 0; at < file.size; at += READ_BYTES) {
      const part = buffer.subarray(0, Math.min(READ_BYTES, file.size - at));
      file.read(at, part);
      onRead(at + part.length, file.size);
      let from = 0;
      for (let end = part.indexOf(0x0a); end >= 0; end = part.indexOf(0x0a, from)) {
        yield text(Buffer.concat([...held, part.subarray(from, end)]));
        number++;
        held = [];
        heldBytes = 0;
        from = end + 1;
      }
      held.push(Buffer.from(part.subarray(from)));
      heldBytes += part.length - from;
      if (heldBytes > MAX_LINE_BYTES) {
        throw new InputError(
          `${path} line ${number}`,
          `is longer than ${MAX_LINE_BYTES} bytes`,
          'expected a line per item',
          'check what the file holds',
        );
      }
    }
    if (heldBytes > 0) yield text(Buffer.concat(held));
  } finally {
    file.close();
  }
}
