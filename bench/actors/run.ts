// From what a command line names to a simulation or a replay: protocols, systems, collections and actors are looked up,
// opened and put together here.

import { ParameterError, refuseUnknownKeys } from '../baselines/parameters.ts';
import { systems } from '../baselines/registry.ts';
import { remoteSystems } from '../baselines/remote.ts';
import type { SystemFactory } from '../baselines/system.ts';
import { AsideFile } from './aside-file.ts';
import { findByName, MAX_RUNS, parseNamed } from './naming.ts';
import { openCollections, openProtocol, openStages, type StageNames } from './opening.ts';
import type { Entry } from './playing.ts';
import type { Plan } from './protocol.ts';
import { type Replay, replay } from './replay.ts';
import { type OnSession, type Simulation, simulate } from './simulate.ts';
import { openTranscript } from './transcript.ts';

/** What to play against: systems by NAME[,key=value]…, over index directories, in process or at a server. */
export interface Opponents {
  readonly directories: readonly string[];
  readonly systems: readonly string[];
  readonly url: string | null;
  /** The name by which the server has the index; null: whichever collection has its generation. */
  readonly collection: string | null;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

export interface SimulationRequest extends Opponents, StageNames {
  readonly protocol: string;
  /** null: as the protocol or the actors have it. */
  readonly starts: number | null;
  readonly rounds: number | null;
  readonly k: number | null;
  /** Where the transcript goes. */
  readonly save: string | null;
  readonly onSession?: OnSession;
}

/** Throws ParameterError for what is named wrongly and ActorError for actors that do not fit. */
export async function runSimulation(request: SimulationRequest): Promise<Simulation> {
  const { starts, rounds, k, seed, save, url, signal, onProgress, onSession = () => {} } = request;
  const { protocol, plan } = openProtocol(request.protocol);
  const entries = entriesOf(request, request.systems.length === 0 ? ['exquisitor'] : request.systems, plan.system);
  const stages = openStages(request, { ...plan.start, count: starts ?? plan.start.count });
  const options = {
    protocol: protocol.name,
    plan,
    rounds: rounds ?? plan.rounds,
    k: k ?? plan.k,
    seed,
    starts: starts ?? Number.POSITIVE_INFINITY,
    over: url === null ? ('process' as const) : ('http' as const),
    signal,
    onProgress,
    onSession,
  };
  const transcript = save === null ? null : new AsideFile(save);
  try {
    const result = await simulate(stages, entries, { ...options, transcript });
    transcript?.commit();
    return result;
  } catch (error) {
    transcript?.abandon();
    throw error;
  }
}

/** Replays a transcript, by default with the systems it was played with. */
export async function runReplay(request: Opponents, transcript: string): Promise<Replay> {
  // Read once before anything is played: a line that does not fit is found now, and progress knows its end.
  const { header, rounds } = await openTranscript(transcript);
  let total = 0;
  for await (const _ of rounds) total++;
  const then = header.runs.map(({ system, parameters }) =>
    [system, ...Object.entries(parameters).map(([key, value]) => `${key}=${value}`)].join(','),
  );
  const entries = entriesOf(request, request.systems.length === 0 ? then : request.systems, {});
  const stages = openCollections(request.directories).map(({ collection }) => ({ collection }));
  return replay(transcript, stages, entries, request.signal, (done) => request.onProgress(done, total));
}

/** Systems with their parameters; keys that the protocol sets and the text does not are the protocol's. */
function entriesOf(
  { url, collection, directories }: Opponents,
  texts: readonly string[],
  standard: Plan['system'],
): readonly Entry[] {
  const known = url === null ? systems : remoteFactories(url, collection, directories);
  const entries = texts.flatMap(parseNamed).map(({ name, parameters }) => {
    const factory = findByName(known, findByName(systems, name).name, 'does not play over HTTP');
    refuseUnknownKeys(name, parameters, factory.keys);
    const fitting = Object.entries(standard).filter(([key]) => factory.keys.includes(key));
    return { factory, parameters: new Map([...fitting, ...parameters]) };
  });
  if (entries.length > MAX_RUNS) throw new ParameterError(`${entries.length} systems, at most ${MAX_RUNS} can play`);
  return entries;
}

function remoteFactories(
  url: string,
  collection: string | null,
  directories: readonly string[],
): readonly SystemFactory[] {
  if (directories.length > 1) throw new ParameterError('--url: a server is asked about one DIR');
  const address = URL.canParse(url) ? new URL(url) : null;
  if (address === null || !/^https?:$/.test(address.protocol)) {
    throw new ParameterError(`--url ${url}: expected http://host:port`);
  }
  return remoteSystems(address, collection);
}
