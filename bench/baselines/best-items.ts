// The items with the highest scores, by a bounded heap.

/** Positions of the `count` highest scores, best first; equal scores in the order of `items` (of positions without). */
export function bestOf(scores: ArrayLike<number>, count: number, items: Uint32Array | null = null): Uint32Array {
  const worse = (a: number, b: number): boolean => {
    const difference = (scores[a] as number) - (scores[b] as number);
    if (difference !== 0) return difference < 0;
    return items === null ? a > b : (items[a] as number) > (items[b] as number);
  };
  // A heap with the worst of the best on top.
  const heap = new Uint32Array(Math.min(count, scores.length));
  for (let position = 0; position < scores.length; position++) {
    if (position < heap.length) {
      let at = position;
      for (let up = (at - 1) >> 1; at > 0 && worse(position, heap[up] as number); at = up, up = (at - 1) >> 1) {
        heap[at] = heap[up] as number;
      }
      heap[at] = position;
    } else if (heap.length > 0 && worse(heap[0] as number, position)) {
      let at = 0;
      for (;;) {
        let down = 2 * at + 1;
        if (down >= heap.length) break;
        if (down + 1 < heap.length && worse(heap[down + 1] as number, heap[down] as number)) down++;
        if (worse(position, heap[down] as number)) break;
        heap[at] = heap[down] as number;
        at = down;
      }
      heap[at] = position;
    }
  }
  return heap.sort((a, b) => (worse(a, b) ? 1 : -1));
}
