// The project's own systems over HTTP: the same options as fields of POST /v1/collections/{collection}/suggest, in
// msgpack columns over one kept connection, as a client with an eye to latency asks.

import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { pack, unpack } from 'msgpackr';
import type { Collection } from '../../src/index/open.ts';
import { type RoundOptions, type RoundSystem, roundSystems } from './own-rounds.ts';
import type { System, SystemFactory, SystemRequest } from './system.ts';

/** Past this a server is taken for stuck. */
const TIMEOUT_MS = 60_000;
/** Answers are a few kilobytes, metrics some tens. */
const MAX_ANSWER_BYTES = 1 << 26;

const MSGPACK = 'application/msgpack';

/** Factories with the names of the local ones, for a collection of the server at `url`. */
export function remoteSystems(url: URL, collection: string): readonly SystemFactory[] {
  return roundSystems.map((system) => ({
    name: system.name,
    summary: `${system.summary}; over HTTP`,
    keys: system.keys,
    open: (local, parameters) => openRemote(url, collection, system, local, parameters),
  }));
}

async function openRemote(
  url: URL,
  name: string,
  { name: system, options, describe }: RoundSystem,
  local: Collection,
  parameters: ReadonlyMap<string, string>,
): Promise<System> {
  const chosen = options(parameters);
  const connection = new Connection(url);
  const path = `/v1/collections/${encodeURIComponent(name)}`;
  try {
    const served = unpack(await connection.exchange('GET', path)) as { generation?: unknown; items?: unknown };
    if (served.generation !== local.generation) {
      throw new Error(
        `${url.origin}${path}: serves generation ${served.generation} of ${served.items} items, ${local.directory} is ` +
          `${local.generation} of ${local.items}; serve the index that DIR names`,
      );
    }
  } catch (error) {
    connection.close();
    throw error;
  }
  return {
    name: system,
    parameters: describe(chosen),
    async suggest(request) {
      const answer = unpack(await connection.exchange('POST', `${path}/suggest`, pack(bodyOf(request, chosen))));
      return Uint32Array.from((answer as { columns: { ids: ArrayLike<number> } }).columns.ids);
    },
    memory: async () => ({ rssBytes: residentBytes(await connection.exchange('GET', '/metrics')), rssMaxBytes: null }),
    close: () => connection.close(),
  };
}

function bodyOf({ positive, negative, exclude, k, seed }: SystemRequest, options: RoundOptions): unknown {
  const { model, clusters, segments, candidates, exhaustive, workers } = options;
  return {
    labels: { positive: Array.from(positive), negative: Array.from(negative) },
    exclude: Array.from(exclude),
    k,
    seed,
    model:
      model.kind === 'rocchio'
        ? { kind: 'rocchio', positive_weight: model.positiveWeight, negative_weight: model.negativeWeight }
        : { kind: 'linear_svm', c: model.c, loss: model.loss, positive_weight: model.positiveWeight },
    search: { clusters, segments, candidates, exhaustive, workers },
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
