// Whether the process is alive, and whether it wants requests.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../errors.ts';
import type { RouteOptions, Warmth } from './route.ts';
import { problemAnswers } from './schemas.ts';

const Status = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false });

/** GET /livez and /readyz. */
export const healthRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { isClosing, warmth }) => {
  app.get(
    '/livez',
    { schema: { tags: ['operation'], summary: 'Whether the process answers', response: { 200: Status } } },
    async () => ({ status: 'ok' }) as const,
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags: ['operation'],
        summary:
          'Whether the server is at its best: 503 while indexes are read into memory (it answers, but slower) and while it closes',
        response: { 200: Status, ...problemAnswers(503) },
      },
    },
    async () => {
      if (isClosing()) throw new Problem('closing', 'the server finishes its rounds and takes no new ones');
      if (!warmth.complete) throw new Problem('warming-up', progressOf(warmth));
      return { status: 'ok' } as const;
    },
  );
};

function progressOf({ readBytes, totalBytes, failed }: Warmth): string {
  const gibibytes = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
  const share = Math.floor((100 * readBytes) / totalBytes);
  if (failed) return `an index cannot be read past ${share} % of them all; the log says which, restore it and restart`;
  return `${share} % of the indexes is in memory, ${gibibytes(readBytes)} of ${gibibytes(totalBytes)} GiB; rounds are answered, but may wait for the disk`;
}
