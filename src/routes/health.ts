// Whether the process is alive, and whether it wants requests.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Problem } from '../errors.ts';
import type { RouteOptions } from './route.ts';
import { problemAnswers } from './schemas.ts';

const Status = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false });

/** GET /livez and /readyz. */
export const healthRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { isReady }) => {
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
        summary: 'Whether the server takes requests: 503 while it closes; before it is ready its port is not open',
        response: { 200: Status, ...problemAnswers(503) },
      },
    },
    async () => {
      if (!isReady()) throw new Problem('closing', 'the server finishes its rounds and takes no new ones');
      return { status: 'ok' } as const;
    },
  );
};
