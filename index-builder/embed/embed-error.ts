// What an embedding run refuses: the message names the file or the flag, what was expected and what to do.

export class EmbedError extends Error {
  override name = 'EmbedError';
}
