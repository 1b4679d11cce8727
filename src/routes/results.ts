// The result of a job, as it lies on disk; whole or a range of it.

import { createReadStream, statSync } from 'node:fs';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../errors.ts';
import { JobParams } from './job-schemas.ts';
import type { RouteOptions } from './route.ts';
import { problemAnswers } from './schemas.ts';

const types = { ndjson: 'application/x-ndjson', parquet: 'application/vnd.apache.parquet' } as const;
const bytesOfTypes = {
  description: 'The result',
  content: Object.fromEntries(
    Object.values(types).map((type) => [type, { schema: Type.Unsafe<unknown>({ type: 'string' }) }]),
  ),
};

/** GET /jobs/{job}/result, which is never msgpack. */
export const resultRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { jobs }) => {
  app.get(
    '/jobs/:job/result',
    {
      schema: {
        tags: ['jobs'],
        summary: 'The rows of a finished sweep; a single Range of bytes is understood',
        produces: Object.values(types),
        params: JobParams,
        response: { 200: bytesOfTypes, 206: bytesOfTypes, ...problemAnswers(400, 404, 409, 416, 429) },
      },
    },
    async ({ params, headers }, reply) => {
      const path = jobs.resultOf(params.job);
      const { format } = jobs.get(params.job).record.order;
      const { size } = statSync(path);
      reply.type(types[format]).headers({ etag: `"${params.job}"`, 'accept-ranges': 'bytes' });
      const range = headers['if-range'] === undefined ? rangeOf(headers.range, size) : null;
      if (range === null) return reply.header('content-length', size).send(createReadStream(path));
      const { start, end } = range;
      reply.code(206).headers({ 'content-range': `bytes ${start}-${end}/${size}`, 'content-length': end - start + 1 });
      return reply.send(createReadStream(path, { start, end }));
    },
  );
};

/** The bytes of a Range header; null for none, or one that may be passed over (RFC 9110, section 14.2). */
function rangeOf(header: string | undefined, size: number): { readonly start: number; readonly end: number } | null {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
  if (start <= end) return { start, end };
  const detail = `the result has ${size} bytes`;
  throw new Problem('range-not-satisfiable', detail, { headers: { 'content-range': `bytes */${size}` } });
}
