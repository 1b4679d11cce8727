// The media types of pictures, told from their bytes.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { build, uniformValues, writeLines, writeVectors } from '../builder/collections.ts';
import { type ProblemReply, startTestServer, temporaryFolder } from '../support.ts';

const pictures: readonly [type: string, bytes: Buffer][] = [
  ['image/png', Buffer.from('89504e470d0a1a0a', 'hex')],
  ['image/jpeg', Buffer.from('ffd8ffe0', 'hex')],
  ['image/gif', Buffer.from('GIF89a')],
  ['image/webp', Buffer.from('RIFF\x10\0\0\0WEBPVP8 ')],
  ['image/svg+xml', Buffer.from('\ufeff  <svg/>')],
  ['image/svg+xml', Buffer.from('<?xml version="1.0"?><svg/>')],
  ['application/octet-stream', Buffer.from('RIFF\x10\0\0\0WAVEfmt ')],
  ['application/octet-stream', Buffer.from('<script>alert(1)</script>')],
];

const folder = temporaryFolder(t);
for (const [at, [, bytes]] of pictures.entries()) writeFileSync(join(folder, `${at}`), bytes);
const thumbnails = writeLines(
  join(folder, 'pictures.txt'),
  pictures.map((_, at) => `${at}`),
);
const vectors = writeVectors(join(folder, 'v.npy'), 4, uniformValues(1, 4 * pictures.length));
const out = join(folder, 'index');
await build(out, { a: [vectors] }, { thumbnails });
const server = await startTestServer(t, { collections: { small: out } });

t.test('a picture has the type of its first bytes, and one of no known type none to run', async (t) => {
  for (const [at, [type, bytes]] of pictures.entries()) {
    const reply = await server.request(`/v1/collections/small/items/${at}/thumbnail`);
    t.equal(reply.headers.get('content-type'), type, `${at}`);
    t.equal(reply.headers.get('content-length'), `${bytes.length}`);
    t.equal(reply.headers.get('x-content-type-options'), 'nosniff');
  }
});

t.test('a key that no collection could have is refused by its place in the address', async (t) => {
  const reply = await server.request<ProblemReply>(`/v1/collections/small/items/${'k'.repeat(2000)}`);
  t.match(reply, { status: 400, body: { type: '/docs#invalid-request', errors: [{ pointer: /^\/params\// }] } });
});
