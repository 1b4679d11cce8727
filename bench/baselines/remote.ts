// The project's own systems over HTTP: the same options as fields of POST /v1/collections/{collection}/suggest, in
// msgpack columns over one kept connection, as a client with an eye to latency asks.

import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { pack, unpack } from 'msgpackr';
import type { Collection } from '../../src/index/open.ts';
import { mix } from './mix.ts';
import { ownRounds } from './own-rounds.ts';
import type { RoundOptions, RoundSystem } from './round-system.ts';
import { spreadMixes } from './spread-mixes.ts';
import { suggestFields } from './suggest-fields.ts';
import type { System, SystemFactory, SystemRequest } from './system.ts';

/** Past this a server is taken for stuck. */
const TIMEOUT_MS = 60_000;
/** Answers are a few kilobytes, metrics some tens. */
const MAX_ANSWER_BYTES = 1 << 26;

const ROOT = '/v1/collections';
const MSGPACK = 'application/msgpack';

/** Factories with the names of the local ones, for a collection of the server at `url`; null: the one with the index. */
export function remoteSystems(url: URL, collection: string | null): readonly SystemFactory[] {
  const served = [...ownRounds, ...spreadMixes, mix].filter(({ overHttp }) => overHttp);
  return served.map((system) => ({
    name: system.name,
    summary: `${system.summary}; over HTTP`,
    keys: system.keys,
    open: (local, parameters) => openRemote(url, collection, system, local, parameters),
  }));
}

async function openRemote(
  url: URL,
  collection: string | null,
  { name: system, choose }: RoundSystem,
  local: Collection,
  parameters: ReadonlyMap<string, string>,
): Promise<System> {
  const { parameters: listed, options } = choose(parameters);
  const connection = new Connection(url);
  let path: string;
  try {
    path = collection === null ? await findServed(url, connection, local) : `${ROOT}/${encodeURIComponent(collection)}`;
    if (collection !== null) await checkServed(url, path, connection, local);
  } catch (error) {
    connection.close();
    throw error;
  }
  return {
    name: system,
    parameters: listed,
    async suggest(request) {
      const body = pack(bodyOf(request, options(request.k)));
      const answer = unpack(await connection.exchange('POST', `${path}/suggest`, body));
      return Uint32Array.from((answer as { columns: { ids: ArrayLike<number> } }).columns.ids);
    },
    memory: async () => ({ rssBytes: residentBytes(await connection.exchange('GET', '/metrics')), rssMaxBytes: null }),
    close: () => connection.close(),
  };
}

/** The part of GET /v1/collections that is needed here. */
interface Served {
  readonly name: string;
  readonly generation: string;
  readonly items: number;
}

/** The path of the first collection with the content of the local index: equal generations answer alike. */
async function findServed({ origin }: URL, connection: Connection, local: Collection): Promise<string> {
  const { collections } = unpack(await connection.exchange('GET', ROOT)) as { collections: readonly Served[] };
  const found = collections.find(({ generation }) => generation === local.generation);
  if (found !== undefined) return `${ROOT}/${encodeURIComponent(found.name)}`;
  const others = collections.map(({ name, generation }) => `${name} (${generation})`).join(', ');
  throw new Error(
    `${origin}${ROOT}: no collection is generation ${local.generation}, as ${local.directory} is, but ${others}; ` +
      'serve the index that DIR names',
  );
}

async function checkServed({ origin }: URL, path: string, connection: Connection, local: Collection): Promise<void> {
  const served = unpack(await connection.exchange('GET', path)) as Served;
  if (served.generation === local.generation) return;
  throw new Error(
    `${origin}${path}: serves generation ${served.generation} of ${served.items} items, ${local.directory} is ` +
      `${local.generation} of ${local.items}; serve the index that DIR names`,
  );
}

function bodyOf({ positive, negative, exclude, k, seed }: SystemRequest, options: RoundOptions): unknown {
  return {
    labels: { positive: Array.from(positive), negative: Array.from(negative) },
    exclude: Array.from(exclude),
    k,
    seed,
    ...suggestFields(options),
    format: 'columns',
  };
}

/** As the server's metrics have it; null where its system does not tell. */
function residentBytes(metrics: Uint8Array): number | null {
  const line = /^process_resident_memory_bytes ([0-9.e+]+)$/m.exec(Buffer.from(metrics).toString('utf8'));
  return line === null ? null : Number(line[1]);
}

/** One kept connection; whatever is not a 200 is an error with the server's own words. */
class Connection {
  readonly #url: URL;
  readonly #agent: Agent | HttpsAgent;

  constructor(url: URL) {
    this.#url = url;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = url.protocol === 'https:' ? new HttpsAgent(options) : new Agent(options);
  }

  async exchange(method: 'GET' | 'POST', path: string, body?: Uint8Array): Promise<Uint8Array> {
    const { status, bytes } = await this.#send(method, path, body);
    if (status === 200) return bytes;
    throw new Error(`${this.#url.origin}${path}: answered ${status}, ${problemText(bytes)}`);
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body?: Uint8Array): Promise<{ status: number; bytes: Buffer }> {
    const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = {
      accept: path === '/metrics' ? 'text/plain' : MSGPACK,
      ...(body === undefined ? {} : { 'content-type': MSGPACK, 'content-length': body.length }),
    };
    const where = new URL(path, this.#url);
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void =>
        reject(new Error(`${where.origin}: cannot be asked (${error.message}); is farsight serve running there?`));
      const request = send(where, { method, headers, agent: this.#agent, timeout: TIMEOUT_MS }, (answer) => {
        readAll(answer).then((bytes) => resolve({ status: answer.statusCode ?? 0, bytes }), fail);
      });
      request.on('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
      request.on('error', fail);
      request.end(body);
    });
  }
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** What a problem says, in JSON or msgpack. */
function problemText(bytes: Buffer): string {
  for (const decode of [() => JSON.parse(bytes.toString('utf8')), () => unpack(bytes)]) {
    try {
      const { title, detail } = decode() as { title?: string; detail?: string };
      if (title !== undefined || detail !== undefined) return [title, detail].filter((text) => text).join(': ');
    } catch {
      // The other form, or no problem at all.
    }
  }
  return bytes.toString('utf8', 0, 200);
}
