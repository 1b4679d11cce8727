// A client of sessions for tests: the routes as functions, answers with their ETag.

import type { Reply, TestServer } from '../support.ts';

export interface SessionReply {
  readonly id: string;
  readonly url: string;
  readonly collection: string;
  readonly generation: string;
  readonly revision: number;
  readonly rounds: number;
  readonly positives: number;
  readonly negatives: number;
  readonly seen: number;
  readonly excluded: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly events: number;
  readonly from?: { readonly session: string; readonly revision: number };
}

export interface RoundReply {
  readonly items: readonly {
    readonly id: number;
    readonly key?: string;
    readonly score: number;
    readonly source: string;
  }[];
  readonly columns?: { readonly ids: ArrayLike<number>; readonly scores: ArrayLike<number> };
  readonly model: Readonly<Record<string, unknown>>;
  readonly coverage: { readonly complete: boolean };
  readonly seed: number;
  readonly session: { readonly id: string; readonly revision: number; readonly round: number; readonly page: number };
  readonly more?: string;
}

export interface LabelReply {
  readonly id: number;
  readonly key?: string;
  readonly label: 'positive' | 'negative';
}

/** One line of a log. */
export type LogEvent = Readonly<Record<string, unknown>> & { readonly event: number; readonly type: string };

type Headers = Readonly<Record<string, string>>;

/** One session of a server. */
export class SessionClient {
  readonly id: string;
  readonly #server: TestServer;

  constructor(server: TestServer, id: string) {
    this.#server = server;
    this.id = id;
  }

  static async create(server: TestServer, settings: unknown = {}): Promise<SessionClient> {
    const { status, body } = await createSession<SessionReply>(server, settings);
    if (status !== 201) throw new Error(`a session was refused: ${JSON.stringify(body)}`);
    return new SessionClient(server, body.id);
  }

  call<Body>(method: string, path: string, body?: unknown, headers: Headers = {}): Promise<Reply<Body>> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const text = body === undefined ? null : JSON.stringify(body);
    return this.#server.request<Body>(`/v1/sessions/${this.id}${path}`, {
      method,
      body: text,
      headers: { ...type, ...headers },
    });
  }

  get(): Promise<Reply<SessionReply>> {
    return this.call('GET', '');
  }

  round(body: unknown = {}, headers: Headers = {}): Promise<Reply<RoundReply>> {
    return this.call('POST', '/rounds', body, headers);
  }

  more(cursor: string, k?: number): Promise<Reply<RoundReply>> {
    const size = k === undefined ? '' : `&k=${k}`;
    return this.call('GET', `/more?cursor=${encodeURIComponent(cursor)}${size}`);
  }

  async labels(): Promise<readonly LabelReply[]> {
    return (await this.call<{ labels: LabelReply[] }>('GET', '/labels')).body.labels;
  }

  async log(): Promise<readonly LogEvent[]> {
    const { body } = await this.call<Buffer>('GET', '/log');
    const lines = body.toString('utf8').trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as LogEvent);
  }
}

export function createSession<Body>(server: TestServer, settings: unknown, collection = 'small'): Promise<Reply<Body>> {
  return server.request<Body>(`/v1/collections/${collection}/sessions`, {
    method: 'POST',
    body: JSON.stringify(settings),
    headers: { 'content-type': 'application/json' },
  });
}

/** What an answer says besides the time it took. */
export function timeless<Body>(body: Body): Omit<Body, 'elapsed_ms'> {
  const { elapsed_ms: _elapsed, ...rest } = body as Body & { elapsed_ms?: number };
  return rest as Omit<Body, 'elapsed_ms'>;
}
