// What a library throws over bytes it cannot make sense of, as an error that names the file.

import { InputError, UnreadableError } from './reader.ts';

const LONGEST_REASON = 200;

/** Runs a step of decoding; `format` is what the file was taken for. */
export function decoding<Result>(path: string, format: string, step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    throw asInputError(path, format, error);
  }
}

export async function decodingAsync<Result>(
  path: string,
  format: string,
  step: () => Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    throw asInputError(path, format, error);
  }
}

function asInputError(path: string, format: string, error: unknown): Error {
  if (error instanceof InputError) return error;
  const { message = String(error), syscall, code } = error as NodeJS.ErrnoException;
  if (syscall !== undefined) {
    return new UnreadableError(
      path,
      `cannot be read (${code})`,
      'expected a readable file',
      'check the disk and the path',
    );
  }
  const reason = message.split('\n', 1)[0] as string;
  return new InputError(
    path,
    `cannot be read as ${format}: ${reason.slice(0, LONGEST_REASON)}`,
    'expected a whole, undamaged file',
    'copy or write the file again',
  );
}
