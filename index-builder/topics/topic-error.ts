// What a run over texts refuses: the message names the file, the line or the field, what was expected and what to do.

export class TopicError extends Error {
  override name = 'TopicError';
}
