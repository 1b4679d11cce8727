// Asking a system for a round: the request of a session so far, the answer checked, and the time between.

import type { System, SystemRequest } from '../baselines/system.ts';

/** What a system answered. */
export interface Answer {
  readonly suggested: Uint32Array;
  /** From labels in to suggestions out, training included. */
  readonly latencyMs: number;
}

/** What was labelled or suggested in a session, and so is never to be suggested again. */
export class Seen {
  readonly #items = new Set<number>();

  /** The request of the next round. Items seen and not labelled now are excluded, in the order they were seen. */
  request(
    positive: readonly number[],
    negative: readonly number[],
    { k, seed }: Pick<SystemRequest, 'k' | 'seed'>,
  ): SystemRequest {
    const labelled = new Set(positive);
    for (const item of negative) {
      if (labelled.has(item)) throw new RangeError(`item ${item} is labelled positive and negative in one round`);
    }
    for (const item of negative) labelled.add(item);
    for (const item of labelled) this.#items.add(item);
    const exclude = [...this.#items].filter((item) => !labelled.has(item));
    return {
      positive: Uint32Array.from(positive),
      negative: Uint32Array.from(negative),
      exclude: Uint32Array.from(exclude),
      k,
      seed,
    };
  }

  add(suggested: Uint32Array): void {
    for (const item of suggested) this.#items.add(item);
  }

  has(item: number): boolean {
    return this.#items.has(item);
  }
}

/** Asks, and refuses an answer with items that are seen, twice, past the end or more than k: its numbers would be wrong. */
export async function ask(system: System, request: SystemRequest, seen: Seen, items: number): Promise<Answer> {
  const before = performance.now();
  const answer = system.suggest(request);
  const suggested = answer instanceof Uint32Array ? answer : await answer;
  const latencyMs = performance.now() - before;
  if (suggested.length > request.k) {
    throw new RangeError(`${system.name}: suggested ${suggested.length} items, ${request.k} were asked for`);
  }
  const distinct = new Set<number>();
  for (const item of suggested) {
    const fault =
      item >= items ? 'which is past the end' : seen.has(item) ? 'which was seen' : distinct.has(item) ? 'twice' : null;
    if (fault !== null)
      throw new RangeError(`${system.name}: suggested item ${item}, ${fault}; the system is at fault`);
    distinct.add(item);
  }
  return { suggested, latencyMs };
}
