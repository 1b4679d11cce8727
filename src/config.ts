// Configuration of `farsight serve`: flags over environment over file over defaults, checked once, then frozen.
// Every limit of the server has its name here. A setting is `body_limit_bytes` in the file, `--body-limit-bytes` as a
// flag and FARSIGHT_BODY_LIMIT_BYTES in the environment.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

const maxThreads = 16;

/** A whole-number setting with its range. */
const whole = (description: string, standard: number, minimum: number, maximum: number) =>
  Type.Integer({ description, default: standard, minimum, maximum });

/** Variables that are no settings: the file of settings, stacks of errors, and where tests and benches find data. */
const otherVariables = ['FARSIGHT_CONFIG', 'FARSIGHT_TRACE', 'FARSIGHT_DATA'];

/** Settings that are paths. */
const pathSettings = ['sessions', 'jobs'] as const;

/** A variable this many letters from a known one is taken for a misspelling of it. */
const maxTypos = 3;

const namePattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

const serveSchema = Type.Object(
  {
    collections: Type.Record(Type.String({ pattern: namePattern }), Type.String({ minLength: 1 }), {
      description: 'index directories by collection name',
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1000,
    }),
    host: Type.String({ description: 'address to listen on', default: '127.0.0.1', minLength: 1, maxLength: 255 }),
    port: whole('port to listen on, 0 picks a free one', 8080, 0, 65_535),
    workers: whole('threads that run rounds', Math.min(maxThreads, Math.max(1, availableParallelism())), 1, maxThreads),
    log_level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      description: 'least level of the log on stderr',
      default: 'info',
    }),
    huge_pages: Type.Enum(['auto', 'on', 'off'], {
      description: 'copy indexes onto huge pages, which rounds read faster; auto: when twice their size is available',
      default: 'auto',
    }),
    warm_first_bytes: whole(
      'indexes up to this size are in memory before the port opens; larger ones are read while the server answers',
      268_435_456,
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    trust_proxy: Type.Boolean({ description: 'take client addresses from X-Forwarded-For', default: false }),

    body_limit_bytes: whole('largest request body', 1_048_576, 1_024, 268_435_456),
    max_labels: whole('positive, negative and excluded items of one request together', 100_000, 1, 10_000_000),
    max_training_values: whole(
      'labels of one request times values of one vector, per modality; 4 bytes each, 8 in sparse modalities',
      64_000_000,
      1,
      1_000_000_000,
    ),
    max_k: whole('largest k', 10_000, 1, 1_000_000),
    max_candidates: whole('largest search.candidates', 100_000, 1, 10_000_000),
    max_segments: whole('largest search.segments', 1_024, 1, 65_536),
    max_workers_per_round: whole('largest search.workers', 16, 1, 64),
    max_key_chars: whole('longest item key', 1_024, 1, 65_536),
    max_budget_ms: whole('largest budget_ms', 600_000, 1, 3_600_000),
    default_budget_ms: whole('budget of a round that names none', 30_000, 1, 3_600_000),

    sessions: Type.String({
      description: 'file that keeps sessions; without one they end with the process',
      default: '',
      maxLength: 4096,
    }),
    max_sessions: whole('sessions held at a time', 10_000, 1, 1_000_000),
    max_sessions_bytes: whole('bytes of the events of all sessions', 536_870_912, 65_536, 900_000_000),
    max_session_bytes: whole('bytes of the events of one session', 67_108_864, 4_096, 1_073_741_824),
    max_session_events: whole('events of one session: rounds, pages, label changes, undos', 10_000, 1, 1_000_000),
    max_session_items: whole('labelled, seen and excluded items of one session together', 1_000_000, 1, 100_000_000),
    session_ttl_s: whole('seconds without a change after which a session ends, 0 is never', 604_800, 0, 315_360_000),
    session_queue_length: whole('requests that may wait for the change of one session under way', 16, 0, 10_000),
    idempotency_keys: whole('answers kept per session, for requests with an Idempotency-Key', 16, 0, 1_000),

    jobs: Type.String({
      description: 'directory that keeps jobs and their results; without one they end with the process',
      default: '',
      maxLength: 4096,
    }),
    jobs_running: whole('jobs that run at a time, one thread each', 1, 1, 16),
    jobs_waiting: whole('jobs that may wait; more are refused with 503', 16, 0, 10_000),
    max_jobs: whole('jobs held at a time, finished ones included', 1_000, 1, 100_000),
    max_result_bytes: whole('largest result of a job', 17_179_869_184, 1_024, Number.MAX_SAFE_INTEGER),
    max_sweep_bytes: whole('memory of one sweep beside the index', 4_294_967_296, 1_048_576, Number.MAX_SAFE_INTEGER),
    job_part_rows: whole(
      'rows of a result that are made durable together; an interrupted job goes on behind the last',
      1_048_576,
      1,
      100_000_000,
    ),
    max_audit_labels: whole('largest sample of an audit', 10_000, 10, 100_000),
    job_ttl_s: whole(
      'seconds after its end that a job and its result are kept, 0 is for ever',
      604_800,
      0,
      315_360_000,
    ),

    queue_length: whole('rounds that may wait for a thread; more are refused with 503', 256, 0, 100_000),
    decoded_rows_bytes: whole('bytes of decoded rows of labelled items one thread keeps', 33_554_432, 0, 4_294_967_296),
    worker_heap_mb: whole('JavaScript heap of one thread', 128, 16, 65_536),
    max_connections: whole('open connections', 1_024, 1, 1_000_000),
    rate_limit_per_second: whole('requests per second and client address under /v1, 0 is no limit', 0, 0, 1_000_000),
    rate_limit_clients: whole('client addresses the rate limit remembers', 10_000, 1, 1_000_000),
    request_timeout_ms: whole('time for a request to arrive in full', 30_000, 1, 3_600_000),
    connection_timeout_ms: whole(
      'silence after which a connection is closed, running rounds included',
      660_000,
      1,
      7_200_000,
    ),
    keep_alive_timeout_ms: whole('silence between two requests of a connection', 65_000, 1, 3_600_000),
    drain_ms: whole('time between answering 503 on /readyz and closing the port', 0, 0, 600_000),
    close_timeout_ms: whole('time for running rounds to finish on shutdown', 10_000, 1, 3_600_000),
  },
  { additionalProperties: false },
);

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

/** Settings of a server: the settings above in camelCase. */
export type ServeConfig = {
  readonly [Name in keyof Static<typeof serveSchema> as Camel<Name>]: Static<typeof serveSchema>[Name];
};

/** A setting that cannot be used; the message says where it was given and what is expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Flags as parsed by `parseArgs({ options: serveFlags })`. */
export type ServeFlags = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** The flags of `farsight serve`, as options of node:util's parseArgs. */
export const serveFlags: Readonly<Record<string, { type: 'string' | 'boolean'; multiple?: true }>> = {
  collection: { type: 'string', multiple: true },
  config: { type: 'string' },
  ...Object.fromEntries(scalarSettings().map(([name]) => [flagOf(name), { type: 'string' as const }])),
  'trust-proxy': { type: 'boolean' },
};

/** One line per flag, for --help. */
export function describeServeFlags(): string {
  const lines: [string, string][] = [
    ['--collection NAME=DIR', 'serve the index in DIR as NAME; repeatable'],
    ['--config FILE', 'JSON file with these settings (snake_case); flags and FARSIGHT_* variables come first'],
  ];
  for (const [name, schema] of scalarSettings()) {
    const value = schema.type === 'boolean' ? '' : schema.type === 'integer' ? ' N' : ' TEXT';
    const standard = schema.default === '' ? '' : ` (default ${schema.default})`;
    lines.push([`--${flagOf(name)}${value}`, `${schema.description}${standard}`]);
  }
  const width = Math.max(...lines.map(([flag]) => flag.length));
  return lines.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`).join('\n');
}

/** The checked, frozen configuration. Throws ConfigError. */
export function readConfig(flags: ServeFlags, environment: NodeJS.ProcessEnv = process.env): ServeConfig {
  refuseUnknownVariables(environment);
  const file = flags.config ?? environment.FARSIGHT_CONFIG;
  const settings: Record<string, unknown> = { ...defaults(), ...(file === undefined ? {} : readFile(String(file))) };
  const origin = new Map(Object.keys(settings).map((name) => [name, file === undefined ? 'default' : String(file)]));

  const given = (name: string, value: unknown, from: string) => {
    settings[name] = value;
    origin.set(name, from);
  };
  for (const [name, { type }] of scalarSettings()) {
    const variable = variableOf(name);
    const flag = flags[flagOf(name)];
    if (flag !== undefined) given(name, parse(String(flag), type), `--${flagOf(name)}`);
    else if (environment[variable] !== undefined) given(name, parse(environment[variable], type), variable);
  }
  if (flags.collection !== undefined) {
    given('collections', parseCollections([flags.collection].flat().map(String), '--collection'), '--collection');
  } else if (environment.FARSIGHT_COLLECTIONS !== undefined) {
    const pairs = environment.FARSIGHT_COLLECTIONS.split(',');
    given('collections', parseCollections(pairs, 'FARSIGHT_COLLECTIONS'), 'FARSIGHT_COLLECTIONS');
  }

  if (settings.collections === undefined) {
    throw new ConfigError('no collection to serve: give --collection NAME=DIR at least once');
  }
  check(settings, origin);
  return Object.freeze(camelCase(settings)) as ServeConfig;
}

/** The configuration with every setting at its default but those given; for callers that start a server themselves. */
export function configOf(settings: Pick<ServeConfig, 'collections'> & Partial<ServeConfig>): ServeConfig {
  const merged = { ...camelCase(defaults()), ...settings };
  const snake = Object.fromEntries(Object.entries(merged).map(([name, value]) => [snakeCase(name), value]));
  check(snake, new Map());
  return Object.freeze(merged) as ServeConfig;
}

/** The version in package.json, which lies two folders up when compiled (dist/src) and one in the sources. */
export function packageVersion(): string {
  const up = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';
  return (JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version: string }).version;
}

interface ScalarSchema {
  readonly type: 'integer' | 'boolean' | 'string';
  readonly description: string;
  readonly default: unknown;
}

function scalarSettings(): [string, ScalarSchema][] {
  return Object.entries(serveSchema.properties)
    .filter(([name]) => name !== 'collections')
    .map(([name, schema]) => [name, { type: 'string', ...schema } as unknown as ScalarSchema]);
}

function defaults(): Record<string, unknown> {
  return Object.fromEntries(scalarSettings().map(([name, schema]) => [name, schema.default]));
}

/** Settings of a file; its paths are relative to the file. */
function readFile(file: string): Record<string, unknown> {
  let settings: unknown;
  try {
    settings = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ConfigError(`cannot read the configuration ${file}: ${(error as Error).message}`);
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new ConfigError(`the configuration ${file} must hold one JSON object`);
  }
  const { collections, ...rest } = settings as Record<string, unknown>;
  for (const name of pathSettings) {
    const path = rest[name];
    if (typeof path === 'string' && path !== '') rest[name] = resolve(dirname(file), path);
  }
  if (collections === undefined) return rest;
  if (typeof collections !== 'object' || collections === null || Array.isArray(collections))
    return { ...rest, collections };
  const resolved = Object.entries(collections).map(([name, directory]) => [
    name,
    typeof directory === 'string' ? resolve(dirname(file), directory) : directory,
  ]);
  return { ...rest, collections: Object.fromEntries(resolved) };
}

function parseCollections(pairs: readonly string[], from: string): Record<string, string> {
  const collections: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1 || at === pair.length - 1) throw new ConfigError(`${from}: expected NAME=DIR, got '${pair}'`);
    const name = pair.slice(0, at);
    if (Object.hasOwn(collections, name)) throw new ConfigError(`${from}: the collection '${name}' is given twice`);
    collections[name] = pair.slice(at + 1);
  }
  return collections;
}

/** The typed value of a flag or variable; text that is not of the type stays text, for the schema to refuse. */
function parse(text: string, type: ScalarSchema['type']): unknown {
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** A misspelt variable would be a setting that silently stays at its default. */
function refuseUnknownVariables(environment: NodeJS.ProcessEnv): void {
  const known = [...otherVariables, ...Object.keys(serveSchema.properties).map(variableOf)];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('FARSIGHT_') || known.includes(name)) continue;
    const distances = known.map((other) => [editDistance(name, other), other] as const);
    const near = distances
      .filter(([distance]) => distance <= maxTypos)
      .sort(([a], [b]) => a - b)
      .map(([, other]) => other);
    const hint = near.length > 0 ? `is it ${near.join(' or ')}?` : '`farsight serve --help` lists the settings';
    throw new ConfigError(`${name}: unknown setting in the environment; ${hint}`);
  }
}

/** Letters to insert, delete or replace to turn one word into the other (Levenshtein), row by row of the table. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (above[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[j] as number) + 1, (row[j - 1] as number) + 1));
    }
  }
  return row[to.length] as number;
}

function check(settings: Record<string, unknown>, origin: ReadonlyMap<string, string>): void {
  if (Value.Check(serveSchema, settings)) return;
  const errors = Value.Errors(serveSchema, settings);
  const error = errors.find(({ instancePath }) => instancePath !== '') ?? errors[0];
  const [name = ''] = (error?.instancePath ?? '').split('/').slice(1);
  const from = origin.get(name) ?? 'configuration';
  if (!Object.hasOwn(serveSchema.properties, name)) throw new ConfigError(`${from}: unknown setting '${name}'`);
  if (name === 'collections') {
    throw new ConfigError(`${from}: a collection is NAME=DIR, NAME of letters, digits, '.', '_' and '-' (at most 64)`);
  }
  const schema = serveSchema.properties[name as keyof typeof serveSchema.properties] as {
    minimum?: number;
    maximum?: number;
    enum?: readonly string[];
    type?: string;
  };
  const expected =
    schema.minimum !== undefined
      ? `a whole number from ${schema.minimum} to ${schema.maximum}`
      : (schema.enum?.join(', ') ?? (schema.type === 'boolean' ? 'true or false' : 'text'));
  throw new ConfigError(`${from}: ${name} is ${JSON.stringify(settings[name])}, expected ${expected}`);
}

function variableOf(name: string): string {
  return `FARSIGHT_${name.toUpperCase()}`;
}

function flagOf(name: string): string {
  return name.replaceAll('_', '-');
}

function camelCase(settings: Record<string, unknown>): Record<string, unknown> {
  const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [camel(name), value]));
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
