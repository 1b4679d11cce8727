// MessagePack as clients may write it: every width of numbers, texts, lists and maps, and bodies that end inside one.

import t from 'tap';
import { unpack } from '../../src/msgpack.ts';
import { buildSmallIndex, startTestServer } from '../support.ts';

/** A value and every way to write it, as bytes in hexadecimal. */
const values: readonly [value: unknown, ways: readonly string[]][] = [
  [
    7,
    ['07', 'cc07', 'cd0007', 'ce00000007', 'cf0000000000000007', 'd007', 'd10007', 'd200000007', 'd30000000000000007'],
  ],
  [-3, ['fd', 'd0fd', 'd1fffd', 'd2fffffffd', 'd3fffffffffffffffd']],
  [0.5, ['ca3f000000', 'cb3fe0000000000000']],
  [null, ['c0']],
  [
    [false, true],
    ['92c2c3', 'dc0002c2c3', 'dd00000002c2c3'],
  ],
  ['né', ['a36ec3a9', 'd9036ec3a9', 'da00036ec3a9', 'db000000036ec3a9']],
  [{ k: 1 }, ['81a16b01', 'de0001a16b01', 'df00000001a16b01', '81d9016b01']],
];

for (const [value, ways] of values) {
  t.test(
    `${JSON.stringify(value)} is read from ${ways.length} ways of writing it, and cut off from none`,
    async (t) => {
      for (const way of ways) {
        const bytes = Buffer.from(way, 'hex');
        t.strictSame(unpack(bytes), value, way);
        for (let cut = 1; cut < bytes.length; cut++) {
          t.throws(() => unpack(bytes.subarray(0, cut)), { code: 'malformed-body', message: /ends inside a value/ });
        }
      }
    },
  );
}

t.test('a 64-bit integer that no number holds is refused on either side of zero', async (t) => {
  for (const hex of ['cf0020000000000001', 'd3ffdfffffffffffff']) {
    t.throws(() => unpack(Buffer.from(hex, 'hex')), { code: 'malformed-body', message: /at most 2\^53 - 1/ }, hex);
  }
});

t.test('the kind of answer is the one that the client likes best', async (t) => {
  const server = await startTestServer(t, { collections: { small: await buildSmallIndex(t, { items: 60 }) } });
  const accepted: readonly [accept: string, type: RegExp][] = [
    ['', /^application\/json/],
    ['application/*', /^application\/json/],
    ['application/msgpack;q=0.9, application/json;q=0.1', /^application\/msgpack/],
    ['application/msgpack;q=0.1, */*;q=0.5', /^application\/json/],
    ['application/json;q=0, application/*', /^application\/msgpack/],
    ['application/msgpack;q=much, application/json;q=0.1', /^application\/json/],
    ['application/msgpack;q=7', /^application\/msgpack/],
  ];
  for (const [accept, type] of accepted) {
    const answer = await server.request('/v1/collections/small', { headers: { accept } });
    t.equal(answer.status, 200, accept);
    t.match(answer.headers.get('content-type'), type, accept);
  }
  const none = await server.request('/v1/collections/small', { headers: { accept: 'application/msgpack;q=much' } });
  t.match(none, { status: 406, body: { type: '/docs#not-acceptable' } });
});
