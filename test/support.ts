// What tests of a running system share: small seeded collections on disk, and a real server over them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, unpack } from 'msgpackr';
import { pino } from 'pino';
import type { Test } from 'tap';
import { BUILD_DEFAULTS, buildIndex } from '../index-builder/main.ts';
import { npyHeader } from '../index-builder/readers/npy-array.ts';
import { configOf, type ServeConfig } from '../src/config.ts';
import { seededRandom } from '../src/random.ts';
import { type Server, startServer } from '../src/server.ts';

/** What `buildSmallIndex` makes. */
export interface SmallIndex {
  readonly items: number;
  readonly seed?: number;
  /** Keys `photo/0`, `photo/1`, …, metadata and thumbnails too. */
  readonly attachments?: boolean;
}

/** A folder that is gone after the test. */
export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'farsight-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An index with two modalities of seeded random vectors: `visual` (dense, sq8) and `text` (sparse, ratio). */
export async function buildSmallIndex(t: Test, { items, seed = 1, attachments = false }: SmallIndex): Promise<string> {
  const folder = temporaryFolder(t);
  const out = join(folder, 'index');
  const visual = writeVectors(join(folder, 'visual.npy'), items, 16, seed, (uniform) => 2 * uniform - 1);
  const text = writeVectors(join(folder, 'text.npy'), items, 24, seed + 1, (uniform) => uniform ** 3);
  await buildIndex(
    {
      ...BUILD_DEFAULTS,
      out,
      threads: 1,
      clusterSize: 20,
      modalities: [
        { name: 'visual', path: visual, options: new Map([['codec', 'sq8']]) },
        {
          name: 'text',
          path: text,
          options: new Map([
            ['codec', 'ratio'],
            ['features', '4'],
          ]),
        },
      ],
      ...(attachments ? writeAttachments(folder, items) : {}),
    },
    () => {},
  );
  return out;
}

/** A server on a free port with real threads, closed after the test. */
export async function startTestServer(
  t: Test,
  settings: Pick<ServeConfig, 'collections'> & Partial<ServeConfig>,
  worker?: URL,
): Promise<TestServer> {
  const config = configOf({ port: 0, workers: 2, logLevel: 'silent', ...settings });
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'debug' },
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const server = await startServer(config, worker === undefined ? { log } : { log, worker });
  const test = new TestServer(server, lines);
  t.teardown(() => test.close());
  return test;
}

/** An answer with its body decoded by content type. */
export interface Reply<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** A problem, as clients see it. */
export interface ProblemReply {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly request_id: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

/** The server under test and a small client for it. */
export class TestServer {
  readonly url: string;
  /** Everything it logged. */
  readonly log: readonly Record<string, unknown>[];
  readonly #server: Server;
  #closed: Promise<void> | null = null;

  constructor(server: Server, log: readonly Record<string, unknown>[]) {
    this.url = server.url;
    this.log = log;
    this.#server = server;
  }

  /** Closes gracefully, once. */
  close(): Promise<void> {
    this.#closed ??= this.#server.close();
    return this.#closed;
  }

  async request<Body>(path: string, init: RequestInit = {}): Promise<Reply<Body>> {
    const answer = await fetch(this.url + path, init);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get('content-type') ?? '';
    const body = /[/+]json/.test(type)
      ? JSON.parse(bytes.toString('utf8'))
      : type.includes('msgpack')
        ? unpack(bytes)
        : bytes;
    return { status: answer.status, headers: answer.headers, body: body as Body };
  }

  /** A request for a round of the collection `small`, in JSON or msgpack both ways. */
  suggest<Body>(body: unknown, type: 'json' | 'msgpack' = 'json'): Promise<Reply<Body>> {
    const bytes = type === 'json' ? JSON.stringify(body) : new Uint8Array(pack(body));
    return this.suggestRaw(bytes, { 'content-type': `application/${type}`, accept: `application/${type}` });
  }

  /** The same with a body as it is. */
  suggestRaw<Body>(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Reply<Body>> {
    return this.request('/v1/collections/small/suggest', { method: 'POST', body, headers });
  }
}

function writeVectors(
  path: string,
  rows: number,
  dims: number,
  seed: number,
  value: (uniform: number) => number,
): string {
  const random = seededRandom(seed, 'test vectors');
  const values = Float32Array.from({ length: rows * dims }, () => value(random.below(2 ** 24) / 2 ** 24));
  writeFileSync(path, Buffer.concat([npyHeader('f4', [rows, dims]), new Uint8Array(values.buffer)]));
  return path;
}

/** Every third item has no picture; the others are an SVG or the first bytes of a PNG in turn. */
function writeAttachments(folder: string, items: number): { ids: string; metadata: string; thumbnails: string } {
  const numbers = Array.from({ length: items }, (_, item) => item);
  const file = (name: string, lines: readonly string[]) => {
    const path = join(folder, name);
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  };
  mkdirSync(join(folder, 'pictures'));
  writeFileSync(join(folder, 'pictures/a.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(folder, 'pictures/b.png'), Buffer.from('89504e470d0a1a0a00', 'hex'));
  const pictures = ['pictures/a.svg', 'pictures/b.png', ''];
  return {
    ids: file(
      'ids.txt',
      numbers.map((item) => `photo/${item}`),
    ),
    metadata: file(
      'metadata.jsonl',
      numbers.map((item) => JSON.stringify({ title: `Photo ${item}`, year: 2000 + (item % 20) })),
    ),
    thumbnails: file(
      'thumbnails.txt',
      numbers.map((item) => pictures[item % 3] as string),
    ),
  };
}
