// What can be read: collections, items, pictures, and the server's own state.

import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { readManifest } from '../../src/index/open.ts';
import { buildSmallIndex, type ProblemReply, startTestServer } from '../support.ts';

interface Item {
  readonly id: number;
  readonly key?: string;
  readonly metadata?: object;
  readonly thumbnail?: string;
  readonly features?: Readonly<Record<string, { readonly ids?: number[]; readonly values: number[] }>>;
}

interface Described {
  readonly name: string;
  readonly recommended_clusters?: number | null;
}

const keyed = await buildSmallIndex(t, { items: 60, attachments: true });
const plain = await buildSmallIndex(t, { items: 50, seed: 9 });
const server = await startTestServer(t, { collections: { small: keyed, plain } });

t.test('collections are listed and described', async (t) => {
  const { status, body } = await server.request<{ collections: { name: string }[] }>('/v1/collections');
  t.equal(status, 200);
  t.strictSame(
    body.collections.map(({ name }) => name),
    ['small', 'plain'],
  );
  const one = await server.request<object>('/v1/collections/small');
  t.strictSame(one.body, body.collections[0]);
  t.match(one.body, {
    name: 'small',
    items: 60,
    generation: /^[0-9a-f]{16}$/,
    modalities: [
      { name: 'visual', codec: 'sq8', dims: 16 },
      { name: 'text', codec: 'ratio', dims: 24 },
    ],
    keys: true,
    metadata: true,
    thumbnails: true,
  });
  t.match((await server.request<object>('/v1/collections/plain')).body, { keys: false, metadata: false });
  const [{ recommended_clusters: unmeasured } = {}] = (one.body as { modalities: Described[] }).modalities;
  t.equal(unmeasured, undefined, 'a small collection is not measured');
  t.equal((await server.request<ProblemReply>('/v1/collections/other')).status, 404);
});

t.test('a measured collection tells how many clusters to read', async (t) => {
  const measured = await buildSmallIndex(t, { items: 1000 });
  const server = await startTestServer(t, { collections: { measured } });
  const { body } = await server.request<{ modalities: Described[] }>('/v1/collections/measured');
  const expected = readManifest(measured).quality?.modalities.map(({ recall }) => recall.recommended_clusters) ?? [];
  t.equal(expected.length, 2);
  t.strictSame(
    body.modalities.map(({ recommended_clusters }) => recommended_clusters),
    expected,
  );
  t.ok(expected.every((clusters) => clusters !== null && clusters > 1));
});

t.test('an item is found by number and by key', async (t) => {
  const byNumber = await server.request<Item>('/v1/collections/small/items/7');
  t.strictSame(byNumber.body.metadata, { title: 'Photo 7', year: 2007 });
  t.match(byNumber.body, {
    id: 7,
    key: 'photo/7',
    thumbnail: /^\/v1\/collections\/small\/items\/7\/thumbnail\?generation=/,
  });
  t.strictSame((await server.request<Item>('/v1/collections/small/items/photo%2F7')).body, byNumber.body);
  t.strictSame((await server.request<Item>('/v1/collections/small/items/photo%2F7?by=key')).body, byNumber.body);
  t.strictSame((await server.request<Item>('/v1/collections/plain/items/7')).body, { id: 7 });
});

t.test('an item that is not there is 422, with its picture too', async (t) => {
  for (const id of ['60', '99999999999999999999', '-1', '1.5', 'photo%2F60', '7?by=key', 'photo%2F7?by=number']) {
    const { status, body } = await server.request<ProblemReply>(`/v1/collections/small/items/${id}`);
    t.equal(status, 422, id);
    t.equal(body.type, '/docs#unknown-item');
  }
  t.equal((await server.request('/v1/collections/plain/items/photo%2F7')).status, 422);
  t.equal((await server.request('/v1/collections/small/items/60/thumbnail')).status, 422);
  t.equal((await server.request('/v1/collections/none/items/7')).status, 404);
});

t.test('an address with an empty part is 404', async (t) => {
  for (const path of ['/v1/collections/', '/v1/collections/small/items/', '/v1/collections//items/7']) {
    const { status, body } = await server.request<ProblemReply>(path);
    t.equal(status, 404, path);
    t.equal(body.type, '/docs#unknown-route');
  }
});

t.test('feature values are given on request, sparse with their dimensions', async (t) => {
  const { body } = await server.request<Item>('/v1/collections/small/items/7?features=true');
  t.equal(body.features?.['visual']?.values.length, 16);
  t.equal(body.features?.['visual']?.ids, undefined);
  const text = body.features?.['text'];
  t.equal(text?.values.length, 4);
  t.equal(text?.ids?.length, 4);
  t.ok(text?.ids?.every((id) => id >= 0 && id < 24));
  const msgpack = await server.request<Item>('/v1/collections/small/items/7?features=true', {
    headers: { accept: 'application/msgpack' },
  });
  t.strictSame(msgpack.body, body);
});

t.test('queries are checked', async (t) => {
  const wrong: readonly [query: string, pointer: string][] = [
    ['features=1', '/query/features'],
    ['features=true&features=true', '/query/features'],
    ['by=name', '/query/by'],
    ['fields=all', '/query/fields'],
  ];
  for (const [query, pointer] of wrong) {
    const { status, body } = await server.request<ProblemReply>(`/v1/collections/small/items/7?${query}`);
    t.equal(status, 400, query);
    t.equal(body.errors[0]?.pointer, pointer);
  }
});

t.test('pictures come with their type, an entity tag, and no rights', async (t) => {
  const item = await server.request<Item>('/v1/collections/small/items/3');
  const svg = await server.request<Buffer>(item.body.thumbnail ?? '');
  t.equal(svg.headers.get('content-type'), 'image/svg+xml');
  t.match(svg.headers.get('content-security-policy'), /default-src 'none'.*sandbox/);
  t.match(svg.headers.get('cache-control'), /immutable/);
  t.equal(svg.headers.get('x-content-type-options'), 'nosniff');
  t.match(svg.body.toString(), '<svg');
  const etag = svg.headers.get('etag') ?? '';
  const png = await server.request('/v1/collections/small/items/photo%2F4/thumbnail');
  t.equal(png.headers.get('content-type'), 'image/png');
  t.match(png.headers.get('cache-control'), 'no-cache');
  t.not(png.headers.get('etag'), etag);
  const again = await server.request(item.body.thumbnail ?? '', { headers: { 'if-none-match': `"x", W/${etag}` } });
  t.equal(again.status, 304);
  const none = await server.request<ProblemReply>('/v1/collections/small/items/5/thumbnail');
  t.match(none.body, { type: '/docs#no-thumbnail', status: 404 });
  t.equal((await server.request('/v1/collections/plain/items/5/thumbnail')).status, 404);
});

t.test('health, metrics and the description answer', async (t) => {
  t.strictSame((await server.request<object>('/livez')).body, { status: 'ok' });
  t.strictSame((await server.request<object>('/readyz')).body, { status: 'ok' });
  await server.suggest({});
  const metrics = (await server.request<Buffer>('/metrics')).body.toString();
  t.match(metrics, 'farsight_rounds_total{collection="small",outcome="complete"} 1');
  t.match(metrics, 'farsight_round_duration_seconds_count{stage="score"} 1');
  t.match(metrics, 'farsight_rounds_waiting 0');
  t.match(metrics, 'process_resident_memory_bytes');
  const { body } = await server.request<{ openapi: string; paths: object }>('/openapi.json');
  t.equal(body.openapi, '3.1.0');
  t.ok(Object.keys(body.paths).includes('/v1/collections/{collection}/suggest'));
});

t.test('the description names every status of a route', async (t) => {
  type Answers = Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
  type Paths = Readonly<Record<string, Readonly<Record<string, { readonly responses: Answers; summary: string }>>>>;
  const { paths } = (await server.request<{ paths: Paths }>('/openapi.json')).body;
  const answers = (path: string, method: string) => paths[path]?.[method]?.responses ?? {};
  const expected: readonly [path: string, method: string, statuses: readonly number[]][] = [
    ['/v1/collections', 'get', [200, 406, 429]],
    ['/v1/collections/{collection}', 'get', [200, 400, 404, 406, 429]],
    ['/v1/collections/{collection}/items/{id}', 'get', [200, 400, 404, 406, 422, 429]],
    ['/v1/collections/{collection}/items/{id}/thumbnail', 'get', [200, 304, 400, 404, 422, 429]],
    ['/v1/collections/{collection}/suggest', 'post', [200, 400, 404, 406, 413, 415, 422, 429, 503]],
    ['/readyz', 'get', [200, 503]],
  ];
  for (const [path, method, statuses] of expected) {
    t.strictSame(Object.keys(answers(path, method)).map(Number), statuses, path);
  }
  const picture = answers('/v1/collections/{collection}/items/{id}/thumbnail', 'get');
  t.ok(Object.keys(picture['200']?.content ?? {}).includes('image/png'));
  t.equal(picture['304']?.content, undefined);
  t.strictSame(Object.keys(picture['404']?.content ?? {}), ['application/problem+json']);
});

t.test('the documentation page stands alone under its security policy', async (t) => {
  const page = await server.request<Buffer>('/docs');
  t.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  const html = page.body.toString();
  t.match(html, '/v1/collections/{collection}/suggest');
  t.match(html, 'id="unknown-collection"');
  t.notMatch(html, '<script');
  t.match(page.headers.get('content-security-policy'), /style-src 'sha256-/);
  const root = await fetch(`${server.url}/`, { redirect: 'manual' });
  t.equal(root.headers.get('location'), '/docs');
});

t.test('what is not there, or not so, is told as a problem', async (t) => {
  const lost = await server.request<ProblemReply>('/v2/collections');
  t.equal(lost.body.type, '/docs#unknown-route');
  const wrong = await server.request<ProblemReply>('/v1/collections/small', { method: 'DELETE' });
  t.equal(wrong.status, 405);
  t.equal(wrong.headers.get('allow'), 'GET, HEAD');
  t.equal((await server.request('/v1/collections/small/suggest')).status, 405);
  t.equal((await server.request('/v1/collections', { headers: { accept: 'image/png' } })).status, 406);
  t.equal((await server.request<ProblemReply>('/v1/%zz')).body.type, '/docs#malformed-request');
});

t.test('a request id is taken from the caller when it is harmless', async (t) => {
  const given = await server.request('/livez', { headers: { 'x-request-id': 'trace-42' } });
  t.equal(given.headers.get('x-request-id'), 'trace-42');
  const made = await server.request('/livez', { headers: { 'x-request-id': 'a b"c' } });
  t.match(made.headers.get('x-request-id'), /^[0-9a-f-]{36}$/);
});

t.test('what is not HTTP gets a problem and a closed connection', async (t) => {
  const { port } = new URL(server.url);
  const sent: readonly [text: string, status: string][] = [
    ['nonsense\r\n\r\n', '400 Bad Request'],
    [`GET /livez HTTP/1.1\r\nhost: a\r\nlong: ${'x'.repeat(20_000)}\r\n\r\n`, '431 Request Header Fields Too Large'],
  ];
  for (const [text, status] of sent) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.end(text);
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    await once(socket, 'close');
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    t.ok(head.startsWith(`HTTP/1.1 ${status}\r\n`), status);
    t.match(head, 'content-type: application/problem+json');
    t.match(head, `x-request-id: ${(JSON.parse(body) as ProblemReply).request_id}`);
  }
});

t.test('over the rate limit the answer is 429 and says when to come back', async (t) => {
  const limited = await startTestServer(t, { collections: { small: keyed }, rateLimitPerSecond: 2 });
  const replies = await Promise.all([1, 2, 3, 4].map(() => limited.request<ProblemReply>('/v1/collections')));
  const refused = replies.filter(({ status }) => status === 429);
  t.ok(refused.length >= 1);
  t.match(refused[0]?.body, { type: '/docs#too-many-requests', status: 429 });
  t.ok(refused[0]?.headers.has('retry-after'));
  t.equal((await limited.request('/livez')).status, 200);
});
