// createApp: plugins, routes and errors over open collections and an engine; it does not listen.

import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { Problem, problemBody, problemType, toProblem } from './errors.ts';
import { addMsgpack } from './msgpack.ts';
import { collectionRoutes } from './routes/collections.ts';
import { docsRoutes, docsStyleSource } from './routes/docs.ts';
import { healthRoutes } from './routes/health.ts';
import { itemRoutes, thumbnailRoutes } from './routes/items.ts';
import { jobRoutes } from './routes/jobs.ts';
import { labelRoutes } from './routes/labels.ts';
import { createMetrics, metricsRoutes } from './routes/metrics.ts';
import { modelRoutes } from './routes/model.ts';
import { resultRoutes } from './routes/results.ts';
import { roundRoutes } from './routes/rounds.ts';
import type { RouteOptions } from './routes/route.ts';
import { logRoutes, sessionRoutes } from './routes/sessions.ts';
import { suggestRoutes } from './routes/suggest.ts';

/** What a server is made of. */
export interface AppOptions extends Omit<RouteOptions, 'metrics'> {
  readonly log: FastifyBaseLogger;
  readonly version: string;
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Asked every few seconds by machines. */
const quietRoutes: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

/** The application, ready to listen or to be injected into. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const metrics = createMetrics(options.engine, options.warmth);
  const routeOptions: RouteOptions = { ...options, metrics };
  const app = createFastify(options);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => sendProblem(unknownRoute(request), request, reply));
  addHooks(app, routeOptions);
  await addDescription(app, options.version);
  await addSecurityHeaders(app);
  const allowed = collectMethods(app);
  await app.register(healthRoutes, routeOptions);
  await app.register(metricsRoutes, routeOptions);
  await app.register(docsRoutes);
  await app.register((v1) => addDataRoutes(v1, routeOptions), { prefix: '/v1' });
  refuseOtherMethods(app, allowed);
  await app.ready();
  return app;
}

function createFastify({ config, log }: AppOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    requestIdHeader: false,
    trustProxy: config.trustProxy,
    bodyLimit: config.bodyLimitBytes,
    requestTimeout: config.requestTimeoutMs,
    connectionTimeout: config.connectionTimeoutMs,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    // Rounds on connections that are still open are served while the server closes, which waits for them anyway.
    return503OnClosing: false,
    // Percent-encoding takes three characters for one.
    routerOptions: { maxParamLength: 3 * config.maxKeyChars },
    // The framework's own defaults drop unknown fields and turn text into numbers.
    ajv: {
      customOptions: {
        removeAdditional: false,
        coerceTypes: false,
        useDefaults: false,
        discriminator: true,
        allowUnionTypes: true,
      },
    },
    clientErrorHandler,
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
  });
  app.removeContentTypeParser('text/plain');
  app.server.maxConnections = config.maxConnections;
  return app;
}

/**
 * Request ids, one log line and one count per request, no keeping alive of connections while the server closes, and no
 * address with an empty part: the router takes `/collections/` for a collection without a name.
 */
function addHooks(app: FastifyInstance, { metrics, isClosing }: RouteOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (Object.values(request.params as Record<string, string>).includes('')) throw unknownRoute(request);
  });
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing()) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'unknown';
    const status = reply.statusCode;
    metrics.request(method, route, status);
    const level = quietRoutes.has(route) ? 'debug' : 'info';
    request.log[level]({ method, route, status, elapsed_ms: Math.round(reply.elapsedTime * 1000) / 1000 }, 'request');
  });
}

async function addDescription(app: FastifyInstance, version: string): Promise<void> {
  const description = 'Label a few items of a collection, get the ones most worth looking at next.';
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Farsight', version, description } } });
}

async function addSecurityHeaders(app: FastifyInstance): Promise<void> {
  const none = ["'none'"];
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none,
        styleSrc: [docsStyleSource],
        imgSrc: ["'self'"],
        baseUri: none,
        formAction: none,
        frameAncestors: none,
      },
    },
    // Whether a name is only ever served over TLS is for the proxy in front to say.
    strictTransportSecurity: false,
  });
}

async function addDataRoutes(v1: FastifyInstance, routeOptions: RouteOptions): Promise<void> {
  v1.addHook('preParsing', (request, _reply, payload, done) => {
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() === 'identity') return done(null, payload);
    const headers = { 'accept-encoding': 'identity' };
    done(new Problem('unsupported-media-type', `a body must not be encoded; this one is '${encoding}'`, { headers }));
  });
  const { rateLimitPerSecond, rateLimitClients } = routeOptions.config;
  if (rateLimitPerSecond > 0) {
    await v1.register(rateLimit, {
      max: rateLimitPerSecond,
      timeWindow: 1000,
      cache: rateLimitClients,
      errorResponseBuilder: (_request, { max }) => new Problem('too-many-requests', `at most ${max} requests a second`),
    });
  }
  await v1.register(thumbnailRoutes, routeOptions);
  await v1.register(logRoutes, routeOptions);
  await v1.register(resultRoutes, routeOptions);
  await v1.register(async (data) => {
    addMsgpack(data);
    await data.register(collectionRoutes, routeOptions);
    await data.register(itemRoutes, routeOptions);
    await data.register(suggestRoutes, routeOptions);
    await data.register(sessionRoutes, routeOptions);
    await data.register(roundRoutes, routeOptions);
    await data.register(labelRoutes, routeOptions);
    await data.register(modelRoutes, routeOptions);
    await data.register(jobRoutes, routeOptions);
  });
}

/** The request id of the caller where it is harmless in a log, else a new one. */
function requestId(request: IncomingMessage | { headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._:-]{1,64}$/.test(given) ? given : randomUUID();
}

function unknownRoute({ method, url }: FastifyRequest): Problem {
  return new Problem('unknown-route', `${method} ${url.slice(0, 200)}`);
}

/** Answers with a problem; what a client cannot have caused is logged with its stack. */
function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error);
  if (problem.status === 500) request.log.error({ err: error }, 'request failed');
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .type(problemType)
    .serializer(JSON.stringify)
    .send(problemBody(problem, request.id));
}

/** What a client is told on the bare socket, by Node's code of the error. */
const socketProblems: Readonly<Record<string, Problem>> = {
  ERR_HTTP_REQUEST_TIMEOUT: new Problem('request-timeout', 'the request did not arrive in time'),
  HPE_HEADER_OVERFLOW: new Problem('headers-too-large', 'the headers are larger than the server reads'),
};

/** Answers what is not HTTP at all, or came too slowly, on the bare socket. */
function clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = socketProblems[error.code ?? ''] ?? new Problem('malformed-request', 'the request is not valid HTTP');
  const id = randomUUID();
  const body = JSON.stringify(problemBody(problem, id));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `x-request-id: ${id}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** The methods of every route registered from now on, by address. */
function collectMethods(app: FastifyInstance): ReadonlyMap<string, ReadonlySet<string>> {
  const allowed = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = allowed.get(url) ?? new Set<string>();
    for (const one of [method].flat()) known.add(one);
    allowed.set(url, known);
  });
  return allowed;
}

/** Says 405 where an address exists and the method does not. */
function refuseOtherMethods(app: FastifyInstance, allowed: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [url, known] of [...allowed]) {
    const allow = [...known].sort().join(', ');
    const refuse = async () => {
      throw new Problem('method-not-allowed', `the methods here are ${allow}`, { headers: { allow } });
    };
    const method = methods.filter((name) => !known.has(name));
    app.route({ method, url, schema: { hide: true }, onRequest: refuse, handler: refuse });
  }
}
