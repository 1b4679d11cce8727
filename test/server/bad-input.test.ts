// What a client can get wrong: every mistake is told with its place, and none is a failure of the server.

import { pack } from 'msgpackr';
import t, { type Test } from 'tap';
import { buildSmallIndex, type ProblemReply, type Reply, startTestServer } from '../support.ts';

const server = await startTestServer(t, { collections: { small: await buildSmallIndex(t, { items: 60 }) } });
const keyed = await startTestServer(t, {
  collections: { small: await buildSmallIndex(t, { items: 60, attachments: true }) },
});

const json = { 'content-type': 'application/json' };
const msgpack = { 'content-type': 'application/msgpack' };

/** Every `Accept` that a refusal is tried with. */
const accepts = ['application/json', 'application/msgpack', 'application/problem+json'];

/** Checks a problem: its status, its code, and the pointers of its errors. */
function refused(t: Test, reply: Reply<ProblemReply>, status: number, code: string, pointers: readonly string[] = []) {
  t.equal(reply.status, status);
  t.equal(reply.headers.get('content-type'), 'application/problem+json');
  t.match(reply.body, { type: `/docs#${code}`, status, title: /./, detail: /./, request_id: /./ });
  t.equal(reply.body.request_id, reply.headers.get('x-request-id'));
  t.strictSame(
    reply.body.errors.map(({ pointer }) => pointer),
    pointers,
  );
}

const invalid: readonly [title: string, body: unknown, pointer: string][] = [
  ['an unknown field', { lables: {} }, '/lables'],
  ['an unknown field inside', { labels: { positives: [1] } }, '/labels/positives'],
  ['a mix of less than k', { mix: { farthest: 24 } }, '/mix'],
  ['a mix of more than k', { mix: { farthest: 15, spread: 5, random: 5, grid: 1 } }, '/mix'],
  ['a mix of the k of another body', { k: 5, mix: { farthest: 25 } }, '/mix'],
  ['a mix of nothing', { mix: {} }, '/mix'],
  ['a negative share', { mix: { farthest: 26, spread: -1 } }, '/mix/spread'],
  ['a share that is a fraction', { mix: { farthest: 24.5, grid: 0.5 } }, '/mix/farthest'],
  ['an unknown sampler', { mix: { farthest: 25, nearest: 1 } }, '/mix/nearest'],
  ['an unknown query set', { spread: { from: 'negatives' } }, '/spread/from'],
  ['no seeds', { spread: { from: 'seeds', count: 0 } }, '/spread/count'],
  ['an option of another sampler', { spread: { alpha: 1 } }, '/spread/alpha'],
  ['an alpha above 10', { random: { alpha: 10.5 } }, '/random/alpha'],
  ['no components', { grid: { components: 0 } }, '/grid/components'],
  ['7 components', { grid: { components: 7 } }, '/grid/components'],
  ['33 segments', { grid: { segments: 33 } }, '/grid/segments'],
  ['a zeta above 1', { grid: { zeta: 1.01 } }, '/grid/zeta'],
  ['a diversity below 0', { diversity: -0.1 }, '/diversity'],
  ['a diversity above 1', { diversity: 1.5 }, '/diversity'],
  ['a filter without rules', { filter: { must: [] } }, '/filter/must'],
  ['labels that are not an object', { labels: [1] }, '/labels'],
  ['an item that is a fraction', { labels: { positive: [1, 1.5] } }, '/labels/positive/1'],
  ['an item that is null', { exclude: [null] }, '/exclude/0'],
  ['an empty key', { exclude: [''] }, '/exclude/0'],
  ['k as text', { k: '25' }, '/k'],
  ['k of 0', { k: 0 }, '/k'],
  ['k of 10,001', { k: 10_001 }, '/k'],
  ['a seed past 2^53 - 1', { seed: 2 ** 53 }, '/seed'],
  ['a budget of 0', { budget_ms: 0 }, '/budget_ms'],
  ['a budget of 11 minutes', { budget_ms: 660_000 }, '/budget_ms'],
  ['an unknown model', { model: { kind: 'forest', hidden: [32] } }, '/model/kind'],
  ['a model that is no text', { model: { kind: 1 } }, '/model/kind'],
  ['a model without a kind', { model: { c: 1 } }, '/model/kind'],
  ['a third hidden layer', { model: { kind: 'mlp', hidden: [4, 4, 4] } }, '/model/hidden'],
  ['a layer of too many units', { model: { kind: 'mlp', hidden: [257] } }, '/model/hidden/0'],
  ['an option of another model', { model: { kind: 'rocchio', c: 1 } }, '/model/c'],
  ['c of 0', { model: { kind: 'linear_svm', c: 0 } }, '/model/c'],
  ['an unknown loss', { model: { kind: 'linear_svm', loss: 'log' } }, '/model/loss'],
  ['no clusters', { search: { clusters: 0 } }, '/search/clusters'],
  ['clusters past 2^31', { search: { clusters: 2 ** 31 + 1 } }, '/search/clusters'],
  ['1,025 segments', { search: { segments: 1025 } }, '/search/segments'],
  ['100,001 candidates', { search: { candidates: 100_001 } }, '/search/candidates'],
  ['exhaustive as a number', { search: { exhaustive: 1 } }, '/search/exhaustive'],
  ['a weight above 1000', { modalities: { visual: { weight: 1001 } } }, '/modalities/visual/weight'],
  ['a weight below 0', { modalities: { visual: { weight: -1 } } }, '/modalities/visual/weight'],
  ['an unknown format', { format: 'rows' }, '/format'],
];
for (const [title, body, pointer] of invalid) {
  t.test(`400 in JSON and msgpack: ${title}`, async (t) => {
    for (const accept of accepts) {
      const text = await server.suggestRaw<ProblemReply>(JSON.stringify(body), { ...json, accept });
      refused(t, text, 400, 'invalid-request', [pointer]);
      const packed = await server.suggestRaw<ProblemReply>(new Uint8Array(pack(body)), { ...msgpack, accept });
      refused(t, packed, 400, 'invalid-request', [pointer]);
    }
  });
}

t.test('every other refusal of a round is a problem too for a client that speaks msgpack', async (t) => {
  const limited = await startTestServer(t, {
    collections: { small: await buildSmallIndex(t, { items: 60 }) },
    bodyLimitBytes: 1024,
    maxLabels: 10,
  });
  const many = Array.from({ length: 11 }, (_, i) => i);
  for (const accept of accepts) {
    const ask = (body: unknown, headers: Record<string, string> = json) =>
      limited.suggestRaw<ProblemReply>(typeof body === 'string' ? body : JSON.stringify(body), { ...headers, accept });
    refused(t, await ask('{'), 400, 'malformed-body');
    refused(t, await ask({ exclude: many }), 413, 'too-many-labels');
    refused(t, await ask(' '.repeat(1025)), 413, 'body-too-large');
    refused(t, await ask('k=1', { 'content-type': 'text/plain' }), 415, 'unsupported-media-type');
    refused(t, await ask({ exclude: [60] }), 422, 'unprocessable-request', ['/exclude/0']);
    refused(t, await limited.request('/v1/collections/none', { headers: { accept } }), 404, 'unknown-collection');
    refused(t, await limited.request('/v1/collections/small/items/60', { headers: { accept } }), 422, 'unknown-item');
    const wrong = { method: 'DELETE', headers: { accept } };
    refused(t, await limited.request('/v1/collections/small', wrong), 405, 'method-not-allowed');
  }
});

t.test('an unknown model is told the known ones, and a mix what it adds up to', async (t) => {
  const detailOf = async (body: object) => (await server.suggest<ProblemReply>(body)).body.errors[0]?.detail;
  t.match(await detailOf({ model: { kind: 'forest' } }), 'must be one of linear_svm, mlp, rocchio');
  t.match(await detailOf({ mix: { farthest: 20, random: 4 } }), 'add up to 24; they must be k, which is 25');
});

t.test('404: an unknown collection, prototype names included', async (t) => {
  for (const name of ['none', '__proto__', 'constructor', 'toString']) {
    const reply = await server.request<ProblemReply>(`/v1/collections/${name}/suggest`, {
      method: 'POST',
      headers: json,
      body: '{}',
    });
    refused(t, reply, 404, 'unknown-collection');
  }
});

t.test('422: item numbers out of range, each with its place', async (t) => {
  const reply = await server.suggest<ProblemReply>({
    labels: { positive: [1, 60], negative: [-1] },
    exclude: [2 ** 40],
  });
  refused(t, reply, 422, 'unprocessable-request', ['/labels/positive/1', '/labels/negative/0', '/exclude/0']);
});

t.test('422: a key that no item has, and any key where there are none', async (t) => {
  const ask = { labels: { positive: ['photo/1', 'photo/60'] } };
  refused(t, await keyed.suggest(ask), 422, 'unprocessable-request', ['/labels/positive/1']);
  refused(t, await server.suggest(ask), 422, 'unprocessable-request', ['/labels/positive/0', '/labels/positive/1']);
});

t.test('422: one item under both labels, by number or by key', async (t) => {
  const ask = { labels: { positive: [4, 7], negative: [9, 'photo/7'] } };
  refused(t, await keyed.suggest(ask), 422, 'unprocessable-request', ['/labels/negative/1']);
});

t.test('a label given twice counts once', async (t) => {
  const { status, body } = await server.suggest<{ model: object }>({
    labels: { positive: [4, 4, 4], negative: [9, 9] },
  });
  t.equal(status, 200);
  t.match(body.model, { positives: 1, negatives: 1 });
});

t.test('422: an unknown modality, no modality, none with a weight', async (t) => {
  refused(t, await server.suggest({ modalities: { Sound: {} } }), 422, 'unprocessable-request', ['/modalities/Sound']);
  refused(t, await server.suggest({ modalities: {} }), 422, 'unprocessable-request', ['/modalities']);
  const silent = { modalities: { visual: { weight: 0 } } };
  refused(t, await server.suggest(silent), 422, 'unprocessable-request', ['/modalities']);
});

t.test('at most twenty errors are listed', async (t) => {
  const reply = await server.suggest<ProblemReply>({ exclude: Array.from({ length: 500 }, (_, i) => 1000 + i) });
  t.equal(reply.status, 422);
  t.equal(reply.body.errors.length, 20);
});

t.test('413: a megabyte of labels, by their number or by their bytes', async (t) => {
  const many = JSON.stringify({ exclude: Array.from({ length: 350_000 }, (_, i) => i % 60) });
  t.ok(many.length < 1_048_576);
  refused(t, await server.suggestRaw(many, json), 413, 'too-many-labels');
  refused(t, await server.suggestRaw(many.padEnd(1_048_577), json), 413, 'body-too-large');
  const packed = new Uint8Array(pack({ exclude: new Array(1_048_000).fill(1) }));
  refused(t, await server.suggestRaw(packed, msgpack), 413, 'too-many-labels');
});

t.test('413: more training values than one modality may have, told with the number of labels that fit', async (t) => {
  const limits = { maxTrainingValues: 16 * 10 };
  const small = await startTestServer(t, {
    collections: { small: await buildSmallIndex(t, { items: 60 }) },
    ...limits,
  });
  const labels = (count: number) => ({ positive: [0], negative: Array.from({ length: count - 1 }, (_, i) => 1 + i) });
  t.equal((await small.suggest({ labels: labels(10) })).status, 200);
  const reply = await small.suggest<ProblemReply>({ labels: labels(11) });
  refused(t, reply, 413, 'too-many-labels');
  t.equal(reply.body.detail, "11 labels of 16 values each in 'visual'; training takes at most 10 there");
  const sparse = await small.suggest({ labels: labels(40), modalities: { text: {} } });
  t.equal(sparse.status, 200, 'sparse vectors count the features they keep');
  t.equal((await small.suggest({ labels: labels(41), modalities: { text: {} } })).status, 413);
  t.equal((await small.suggest({ labels: { negative: labels(30).negative } })).status, 200, 'nothing is trained');
});

t.test('a hundred thousand labels are a round like any other', async (t) => {
  const positive = Array.from({ length: 50_000 }, (_, i) => i % 20);
  const exclude = Array.from({ length: 50_000 }, (_, i) => 20 + (i % 20));
  const { status, body } = await server.suggest<{ items: { id: number }[] }>({ labels: { positive }, exclude });
  t.equal(status, 200);
  t.ok(body.items.every(({ id }) => id >= 40));
});

t.test('400: malformed JSON, and none', async (t) => {
  for (const text of ['{', '{"k":}', 'k=1', '{"k":1}}', '\u0000']) {
    refused(t, await server.suggestRaw(text, json), 400, 'malformed-body');
  }
  refused(t, await server.suggestRaw('', json), 400, 'malformed-body');
  for (const text of ['null', '[]', '1', '"text"']) {
    refused(t, await server.suggestRaw(text, json), 400, 'invalid-request', ['']);
  }
  refused(t, await server.request('/v1/collections/small/suggest', { method: 'POST' }), 400, 'invalid-request', ['']);
});

t.test('400: a number that JSON cannot hold', async (t) => {
  refused(t, await server.suggestRaw('{"budget_ms":1e400}', json), 400, 'invalid-request', ['/budget_ms']);
});

t.test('400: prototype keys in JSON', async (t) => {
  for (const text of ['{"__proto__":{"k":1}}', '{"labels":{"__proto__":null}}', '{"constructor":{"prototype":{}}}']) {
    refused(t, await server.suggestRaw(text, json), 400, 'malformed-body');
  }
  refused(t, await server.suggestRaw('{"constructor":1}', json), 400, 'invalid-request', ['/constructor']);
  const modality = '{"modalities":{"constructor":{}}}';
  refused(t, await server.suggestRaw(modality, json), 400, 'invalid-request', ['/modalities/constructor']);
});

t.test('400: malformed msgpack', async (t) => {
  const bodies: readonly [what: string, hex: string][] = [
    ['a map cut short', '82a16b01'],
    ['an array of 2^32 - 1 values in 5 bytes', 'ddffffffff'],
    ['a map of 2^32 - 1 fields in 5 bytes', 'dfffffffff'],
    ['bytes after the value', '8080'],
    ['the byte that is never used', 'c1'],
    ['NaN', '81a16bcb7ff8000000000000'],
    ['infinity', '81a16bca7f800000'],
    ['binary data', '81a16bc40101'],
    ['a date', 'd6ff00000000'],
    ['an extension of msgpackr, a regular expression', 'c7047892a1612a'],
    ['an integer past 2^53', '81a473656564cf0020000000000001'],
    ['a number as key', '810101'],
    ['a key given twice', '82a16b01a16b02'],
    ['text that is not UTF-8', '81a2c32801'],
    ['the key __proto__', '81a95f5f70726f746f5f5f80'],
    ['the key constructor', '81ab636f6e7374727563746f7280'],
    ['100 nested arrays', `${'91'.repeat(100)}90`],
  ];
  for (const [what, hex] of bodies) {
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
    t.test(what, async (t) => refused(t, await server.suggestRaw(bytes, msgpack), 400, 'malformed-body'));
  }
  refused(t, await server.suggestRaw(new Uint8Array(0), msgpack), 400, 'malformed-body');
});

t.test('a 64-bit integer of msgpack that fits a number is that number', async (t) => {
  const seed = 2 ** 53 - 1;
  const { status, body } = await server.suggestRaw<{ seed: number }>(
    new Uint8Array(Buffer.from('81a473656564cf001fffffffffffff', 'hex')),
    { ...msgpack, accept: 'application/json' },
  );
  t.equal(status, 200);
  t.equal(body.seed, seed);
});

t.test('415: a body of another type, or of none', async (t) => {
  refused(t, await server.suggestRaw('{}', { 'content-type': 'text/plain' }), 415, 'unsupported-media-type');
  refused(t, await server.suggestRaw('k=1', { 'content-type': 'nonsense' }), 415, 'unsupported-media-type');
});

t.test('415: an encoded body, told which encoding is read', async (t) => {
  const reply = await server.suggestRaw<ProblemReply>('{}', { ...json, 'content-encoding': 'gzip' });
  refused(t, reply, 415, 'unsupported-media-type');
  t.equal(reply.headers.get('accept-encoding'), 'identity');
  t.equal((await server.suggestRaw('{}', { ...json, 'content-encoding': 'identity' })).status, 200);
});

t.test('the server is as it was after all of this', async (t) => {
  const { status } = await server.suggest({ labels: { positive: [1], negative: [2] } });
  t.equal(status, 200);
  t.notOk(
    server.log.some(({ level }) => Number(level) >= 50),
    'nothing was logged as an error',
  );
});
