// The process: config → open collections → threads → app → listen → graceful close.

import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import closeWithGrace from 'close-with-grace';
import { type Logger, pino } from 'pino';
import { createApp } from './app.ts';
import { packageVersion, type ServeConfig } from './config.ts';
import { Engine } from './engine.ts';
import { type Collection, openIndex } from './index/open.ts';
import { fitsHugePages, searchedBytes } from './index/warm.ts';
import { JobDirectory } from './jobs/job-directory.ts';
import { Jobs } from './jobs/jobs.ts';
import { FileStore } from './sessions/file.ts';
import { Sessions } from './sessions/sessions.ts';
import { memoryStore, type SessionStore } from './sessions/store.ts';
import { WarmUp } from './warm-up.ts';

/** A listening server. */
export interface Server {
  readonly url: string;
  /** Stops taking requests, lets running rounds finish, ends the threads. */
  close(): Promise<void>;
}

/** A thread that faulted cannot go on: the process has to end, not to close. A handler would repeat the fault for ever. */
const FATAL_SIGNALS = ['SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGILL'] as const;

/** Listens, and serves until the process is told to stop; then closes gracefully and exits. */
export async function serve(config: ServeConfig): Promise<Server> {
  // V8 lets the heap double between collections; steps of a half keep some 40 MB of garbage out of resident memory.
  setFlagsFromString('--heap-growing-percent=50');
  const log = createLog(config);
  const server = await startServer(config, { log });
  const delay = config.drainMs + config.closeTimeoutMs;
  const onTimeout = () => log.error({ delay }, 'rounds were still running when the time to close was over');
  // Process managers send SIGUSR2 for reasons of their own; unheard it would end the process.
  process.on('SIGUSR2', () => log.info('SIGUSR2 is ignored'));
  closeWithGrace({ delay, logger: false, onTimeout, skip: ['SIGUSR2', ...FATAL_SIGNALS] }, async ({ signal, err }) => {
    if (err !== undefined) log.fatal({ err }, 'uncaught error');
    log.info({ signal }, 'closing');
    await server.close();
  });
  // Last, so that whoever reads it may send signals at once.
  process.stdout.write(`farsight is listening on ${server.url}\n`);
  return server;
}

/** Opens the collections and starts to listen. Throws IndexError, or the error of the address. */
export async function startServer(
  config: ServeConfig,
  { log = createLog(config), worker }: { log?: Logger; worker?: URL } = {},
): Promise<Server> {
  const names = Object.entries(config.collections);
  const collections = new Map(names.map(([name, directory]) => [name, openIndex(directory)]));
  const sessions = new Sessions(await openStore(config, log), config);
  const jobs = await openJobs(config, log).catch(async (error: unknown) => {
    await sessions.close();
    throw error;
  });
  const engine = await Engine.start({
    directories: config.collections,
    generations: Object.fromEntries([...collections].map(([name, { generation }]) => [name, generation])),
    threads: config.workers,
    queueLength: config.queueLength,
    heapMb: config.workerHeapMb,
    decodedRowsBytes: config.decodedRowsBytes,
    onThreadError: (error) => log.error({ err: error }, 'a thread failed'),
    ...(worker === undefined ? {} : { worker }),
  }).catch(async (error: unknown) => {
    await jobs.close();
    await sessions.close();
    throw error;
  });
  const warmUp = startWarmUp(config, [...collections.values()], log);
  let closing = false;
  const isClosing = (): boolean => closing;
  const prepared = warmUp.ended
    .then(() => (closing ? undefined : engine.prepare()))
    .catch((error: unknown) => {
      if (!closing) log.error({ err: error }, 'samples of large collections were not made ahead; rounds make them');
    });
  if (warmUp.totalBytes <= config.warmFirstBytes) await prepared;
  const version = packageVersion();
  const app = await createApp({ collections, engine, sessions, jobs, config, log, version, isClosing, warmth: warmUp });
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    closing = true;
    await warmUp.stop();
    await engine.close();
    await jobs.close();
    await sessions.close();
    throw error;
  }
  const { address, port, family } = app.server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: async () => {
      closing = true;
      await sleep(config.drainMs);
      await app.close();
      // First, for what a job does until it stops may want the other threads, and is work that nobody waits for.
      await jobs.close();
      await warmUp.stop();
      await engine.close();
      await sessions.close();
    },
  };
}

/** Where sessions are kept. */
async function openStore({ sessions: path }: ServeConfig, log: Logger): Promise<SessionStore> {
  if (path === '') return memoryStore;
  return await FileStore.open({ path, warn: (event, message) => log.warn(event, message) });
}

/** The jobs, in the directory of --jobs, beside the file of --sessions, or in a directory that goes with the process. */
async function openJobs(config: ServeConfig, log: Logger): Promise<Jobs> {
  const beside = config.sessions === '' ? null : `${config.sessions}.jobs`;
  const path = config.jobs === '' ? beside : config.jobs;
  return new Jobs({
    directory: path === null ? JobDirectory.temporary() : JobDirectory.open(path),
    limits: config,
    collections: config.collections,
    onError: (err, job) => log.error({ err, job }, 'a job failed'),
  });
}

/** Starts to read the indexes into memory, on huge pages where asked for or where memory is plentiful. */
function startWarmUp({ hugePages }: ServeConfig, collections: readonly Collection[], log: Logger): WarmUp {
  const totalBytes = collections.reduce((sum, collection) => sum + searchedBytes(collection), 0);
  return new WarmUp({
    directories: collections.map(({ directory }) => directory),
    totalBytes,
    hugePages: hugePages === 'on' || (hugePages === 'auto' && fitsHugePages(totalBytes)),
    onError: (err) => log.error({ err }, 'an index could not be read into memory'),
  });
}

/** Logs to stderr; stdout is for the address. Written behind the requests, flushed when the process ends. */
function createLog({ logLevel }: ServeConfig): Logger {
  return pino({ level: logLevel, base: null }, pino.destination({ fd: 2, sync: false }));
}
