// What an embedding run refuses: the message names the file or the flag, what was expected and what to do.

export class EmbedError extends Error {
  override name = 'EmbedError';
}

/** For messages: what embedding needs and farsight does not bring. */
export const INSTALL = 'ONNXRUNTIME_NODE_INSTALL=skip npm install --no-save sharp onnxruntime-node';
