// What the server counts about itself, for Prometheus.

import type { FastifyPluginAsync } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Engine } from '../engine.ts';
import type { Metrics, RouteOptions, Warmth } from './route.ts';

/** Counters of one server, apart from those of any other in the process. */
export function createMetrics(engine: Engine, warmth: Warmth): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const rounds = new Counter({
    name: 'farsight_rounds_total',
    help: 'Rounds by collection and outcome.',
    labelNames: ['collection', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'farsight_round_duration_seconds',
    help: 'Time of a round by stage; total is from arrival to the answer.',
    labelNames: ['stage'],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const requests = new Counter({
    name: 'farsight_http_requests_total',
    help: 'HTTP requests by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('farsight_rounds_waiting', 'Rounds waiting for a thread.', () => engine.waiting);
  gauge('farsight_rounds_running', 'Rounds being computed.', () => engine.running);
  gauge('farsight_index_bytes', 'Bytes of the indexes that rounds read.', () => warmth.totalBytes);
  gauge('farsight_index_warm_bytes', 'Of these, bytes read into memory since the start.', () => warmth.readBytes);

  return {
    round: (collection, outcome) => rounds.inc({ collection, outcome }),
    stage: (stage, milliseconds) => durations.observe({ stage }, milliseconds / 1000),
    request: (method, route, status) => requests.inc({ method, route, status }),
    text: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

/** GET /metrics. */
export const metricsRoutes: FastifyPluginAsync<RouteOptions> = async (app, { metrics }) => {
  app.get(
    '/metrics',
    { schema: { tags: ['operation'], summary: 'Counters in the text format of Prometheus', produces: ['text/plain'] } },
    async (_request, reply) => {
      const { contentType, body } = await metrics.text();
      return reply.type(contentType).send(body);
    },
  );
};
