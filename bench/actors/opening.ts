// What a command line names, opened: the protocol, the collections and the actors who play on them.

import { basename } from 'node:path';
import { openIndex } from '../../src/index/open.ts';
import { ParameterError, refuseUnknownKeys } from '../baselines/parameters.ts';
import { readActors } from './actor-file.ts';
import { findByName, parseNamed } from './naming.ts';
import type { Stage } from './playing.ts';
import type { Plan, Protocol } from './protocol.ts';
import { protocols } from './registry.ts';

/** Index directories, and for each its actors and, where lsc wants one, the same items as they came. */
export interface StageNames {
  readonly directories: readonly string[];
  /** A file for each directory. */
  readonly actors: readonly string[];
  /** Directories of the same items as they came, one for each directory or none. */
  readonly spaces: readonly string[];
  readonly seed: number;
}

/** The protocol that NAME[,key=value]… names, with its parameters. Throws ParameterError. */
export function openProtocol(text: string): { readonly protocol: Protocol; readonly plan: Plan } {
  const [named, ...more] = parseNamed(text);
  if (named === undefined || more.length > 0) throw new ParameterError(`${text}: name one protocol`);
  const protocol = findByName(protocols, named.name);
  refuseUnknownKeys(protocol.name, named.parameters, protocol.keys);
  return { protocol, plan: protocol.plan(named.parameters) };
}

/** Throws ParameterError for what is named wrongly and ActorError for actors that do not fit. */
export function openStages({ directories, actors, spaces, seed }: StageNames, start: Plan['start']): readonly Stage[] {
  const collections = openCollections(directories);
  if (actors.length !== directories.length) {
    throw new ParameterError(`--actors: ${directories.length} DIR and ${actors.length} files; name one for each`);
  }
  if (spaces.length > 0 && spaces.length !== directories.length) {
    throw new ParameterError(
      `--space: ${directories.length} DIR and ${spaces.length} spaces; name one for each or none`,
    );
  }
  return collections.map(({ name, collection }, i) => {
    const space = spaces[i] === undefined ? collection : openIndex(spaces[i]);
    if (space.items !== collection.items) {
      throw new ParameterError(`--space ${spaces[i]}: has ${space.items} items, ${directories[i]} ${collection.items}`);
    }
    return { name, collection, space, actors: readActors(actors[i] as string, collection.items, start, seed) };
  });
}

export function openCollections(directories: readonly string[]): readonly Pick<Stage, 'name' | 'collection'>[] {
  if (directories.length === 0) throw new ParameterError('DIR is missing: name the index directory');
  return directories.map((directory) => ({ name: basename(directory), collection: openIndex(directory) }));
}
