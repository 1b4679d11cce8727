// Rounds per second over HTTP: the real server in a process of its own, autocannon in this one, on the same cores.
//
//   node dist/bench/http.bench.js [--seconds 3] [--log-level info]
//
// Each request of a run is another label set (a fixed list, so every run sends the same bytes), 10 positives of one
// strongest concept and 100 random negatives, or 100 and 1000. Formats take turns within each number of connections.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { pack } from 'msgpackr';
import type { LabelSet } from '../src/label-sets.ts';
import { describe, groupsOf, indexOf, lsc100k, packageRoot } from './datasets/collections.ts';
import { groupLabelSets } from './datasets/label-sets.ts';
import { printTable, quantiles, short, writeRun } from './measure.ts';

const SEED = 17;
const BODIES = 200;
const CONNECTIONS = [1, 2, 8];
const WARMUP_SECONDS = 2;
/** The kernel's clock of /proc/PID/stat. */
const TICKS_PER_SECOND = 100;

/** As much of autocannon (which has no types) as is used here. */
interface Client {
  setRequests(requests: readonly Request[]): void;
}
interface Request {
  readonly method: 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}
interface Load {
  readonly requests: { readonly total: number };
  readonly duration: number;
  readonly throughput: { readonly total: number };
  readonly errors: number;
  readonly timeouts: number;
  readonly non2xx: number;
}
type Autocannon = (options: {
  readonly url: string;
  readonly connections: number;
  readonly duration: number;
  readonly requests: readonly Request[];
  readonly setupClient: (client: Client) => void;
}) => Promise<Load> & {
  on(event: 'response', listener: (client: Client, status: number, bytes: number, ms: number) => void): void;
};

const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, 'log-level': { type: 'string', default: 'info' } },
});
const { directory, collection } = await indexOf(lsc100k);
const groups = groupsOf(lsc100k);
const first = groupLabelSets(groups, collection.items, BODIES, 10, 100, SEED);
const late = groupLabelSets(groups, collection.items, BODIES, 100, 1000, SEED);
const formats: readonly (readonly [string, readonly Request[]])[] = [
  ['JSON, 10+100', requestsOf(first, 'json', 'items')],
  ['JSON columns, 10+100', requestsOf(first, 'json', 'columns')],
  ['msgpack, 10+100', requestsOf(first, 'msgpack', 'items')],
  ['msgpack columns, 10+100', requestsOf(first, 'msgpack', 'columns')],
  ['JSON, 100+1000', requestsOf(late, 'json', 'items')],
  ['msgpack columns, 100+1000', requestsOf(late, 'msgpack', 'columns')],
];

const server = await startServer();
try {
  const idle = residentMb(server.pid);
  const [, warmup] = formats[0] as (typeof formats)[number];
  await load(warmup, 2, WARMUP_SECONDS);
  const rows: Row[] = [];
  for (const connections of CONNECTIONS) {
    for (const [format, requests] of formats) {
      rows.push(await measure(format, requests, connections, Number(flags.seconds)));
    }
  }
  const resident = residentMb(server.pid);
  const peak = residentMb(server.pid, 'VmHWM');
  printTable(
    `${describe(lsc100k)}; rounds over HTTP, b=256, k=25, log level ${flags['log-level']}; server and autocannon share the cores`,
    rows.map((row) => ({
      round: row.format,
      connections: row.connections,
      'rounds/s': Math.round(row.roundsPerSecond),
      'p50 ms': short(row.p50Ms),
      'p99 ms': short(row.p99Ms),
      'server CPU ms/round': short(row.serverCpuMs),
      'client CPU ms/round': short(row.clientCpuMs),
      'reply bytes': Math.round(row.replyBytes),
      failed: row.failed,
    })),
  );
  process.stdout.write(
    `\nserver RSS: ${short(idle)} MB idle, ${short(resident)} MB after the load, ${short(peak)} MB at most\n`,
  );
  const run = {
    dataset: describe(lsc100k),
    seed: SEED,
    bodies: BODIES,
    seconds: Number(flags.seconds),
    logLevel: flags['log-level'],
    rows,
    rssMb: { idle, afterLoad: resident, peak },
  };
  process.stdout.write(`${writeRun('http', run)}\n`);
} finally {
  await server.stop();
}

interface Row {
  readonly format: string;
  readonly connections: number;
  readonly roundsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverCpuMs: number;
  readonly clientCpuMs: number;
  readonly replyBytes: number;
  readonly failed: number;
}

async function measure(
  format: string,
  requests: readonly Request[],
  connections: number,
  seconds: number,
): Promise<Row> {
  const serverBefore = cpuMsOf(server.pid);
  const clientBefore = process.cpuUsage();
  const { result, latencies } = await load(requests, connections, seconds);
  const { median, p99 } = quantiles(latencies);
  const client = process.cpuUsage(clientBefore);
  const rounds = result.requests.total;
  return {
    format,
    connections,
    roundsPerSecond: rounds / result.duration,
    p50Ms: median,
    p99Ms: p99,
    serverCpuMs: (cpuMsOf(server.pid) - serverBefore) / rounds,
    clientCpuMs: (client.user + client.system) / 1000 / rounds,
    replyBytes: result.throughput.total / rounds,
    failed: result.errors + result.timeouts + result.non2xx,
  };
}

/** Every connection sends all requests over and over, each beginning elsewhere in the list. */
async function load(
  requests: readonly Request[],
  connections: number,
  seconds: number,
): Promise<{ readonly result: Load; readonly latencies: readonly number[] }> {
  let clients = 0;
  const latencies: number[] = [];
  const run = autocannon({
    url: server.url,
    connections,
    duration: seconds,
    requests,
    setupClient: (client) => {
      const from = Math.floor((clients++ * requests.length) / connections);
      client.setRequests([...requests.slice(from), ...requests.slice(0, from)]);
    },
  });
  // Its own histogram counts whole milliseconds.
  run.on('response', (_client, _status, _bytes, ms) => latencies.push(ms));
  return { result: await run, latencies };
}

function requestsOf(
  sets: readonly LabelSet[],
  type: 'json' | 'msgpack',
  format: 'items' | 'columns',
): readonly Request[] {
  const headers = { 'content-type': `application/${type}`, accept: `application/${type}` };
  return sets.map(({ positive, negative }, seed) => {
    const body = { labels: { positive: [...positive], negative: [...negative] }, k: 25, seed, format };
    const bytes = type === 'json' ? JSON.stringify(body) : Buffer.from(pack(body));
    return { method: 'POST', path: '/v1/collections/lsc/suggest', headers, body: bytes };
  });
}

/** `farsight serve` with its defaults; its log goes nowhere. */
async function startServer(): Promise<{ readonly url: string; readonly pid: number; stop(): Promise<void> }> {
  const command = join(packageRoot(), 'bin/farsight.js');
  const words = ['serve', '--collection', `lsc=${directory}`, '--port', '0', '--log-level', flags['log-level']];
  const child = spawn(process.execPath, [command, ...words], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exit = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const [url] = /http:\S+/.exec(line) ?? [];
    if (url === undefined) continue;
    return {
      url,
      pid: child.pid as number,
      stop: async () => {
        child.kill('SIGTERM');
        await exit;
      },
    };
  }
  throw new Error(`the server ended before it listened: node ${command} ${words.join(' ')}`);
}

/** Resident memory of a process (Linux): now, or with VmHWM the most it ever was. */
function residentMb(pid: number, field = 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return (Number(kib) * 1024) / 1e6;
}

/** User and system time of a process and all its threads (Linux; proc(5), fields 14 and 15). */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}
