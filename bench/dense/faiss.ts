// FAISS in a process of its own, asked in turns with our searches: bench/dense-reference/reference.py. FARSIGHT_PYTHON
// names a Python that has it; without one the bench says so and goes on.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cacheFolder, packageRoot } from '../datasets/collections.ts';

export type FaissIndex = 'float32' | 'ivf-flat' | 'ivf-sq8-refined' | 'hnsw';

export interface FaissAnswer {
  readonly recall: number;
  /** Of each query. */
  readonly ms: readonly number[];
  /** Of all queries together: wall time, and CPU time of the thread that searched. */
  readonly wall_ms: number;
  readonly cpu_ms: number;
}

export class Faiss {
  readonly about: Readonly<Record<string, unknown>>;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, about: string) {
    this.#process = process;
    this.#lines = lines;
    this.about = JSON.parse(about);
  }

  /** Over the vectors and hyperplanes that the bench left in the cache folder; null where there is no FAISS. */
  static async over(collection: string): Promise<Faiss | null> {
    const script = join(packageRoot(), 'bench/dense-reference/reference.py');
    const child = spawn(process.env.FARSIGHT_PYTHON ?? 'python3', [script, cacheFolder(), collection]);
    child.stderr.pipe(process.stderr);
    child.on('error', () => {});
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const { value, done } = await lines.next();
    if (!done) return new Faiss(child, lines, value);
    process.stderr.write('FAISS is left out: name a Python that has it in FARSIGHT_PYTHON\n');
    return null;
  }

  /** `labels` names exported hyperplanes. */
  async search(index: FaissIndex, probes: number, labels: string): Promise<FaissAnswer> {
    this.#process.stdin.write(`${index} ${probes} ${labels}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('reference.py ended early; its last words are above');
    return JSON.parse(value);
  }

  async close(): Promise<void> {
    const closed = once(this.#process, 'close');
    this.#process.stdin.end();
    await closed;
  }
}
