// A set of item numbers as bits, for searches that meet an item several times.

export class ItemSet {
  readonly #words: Uint32Array;

  constructor(items: number) {
    this.#words = new Uint32Array(Math.ceil(items / 32));
  }

  has(item: number): boolean {
    return (((this.#words[item >>> 5] as number) >>> (item & 31)) & 1) === 1;
  }

  add(item: number): void {
    this.#words[item >>> 5] = (this.#words[item >>> 5] as number) | (1 << (item & 31));
  }

  delete(item: number): void {
    this.#words[item >>> 5] = (this.#words[item >>> 5] as number) & ~(1 << (item & 31));
  }

  addAll(items: Uint32Array): void {
    for (let i = 0; i < items.length; i++) this.add(items[i] as number);
  }

  /** Takes out what was put in: clearing costs what was added, not the collection. */
  deleteAll(items: Uint32Array): void {
    for (let i = 0; i < items.length; i++) this.delete(items[i] as number);
  }
}
