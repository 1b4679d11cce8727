// The directory OUT.building, in which an index is built before it is put in place in one step: a lock, scratch files,
// the finished sections under `index`, and a journal of what is durable, from which a build that was killed goes on.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  decodeManifest,
  type GridManifest,
  IndexError,
  MANIFEST_START,
  type Manifest,
  type ModalityManifest,
  type QualityManifest,
  type SectionManifest,
} from '../../src/index/format.ts';
import { isLock } from '../../src/lock.ts';
import { changing, isEmptyDirectory, putBack, putInPlace, syncDirectory, writeDurably } from './disk.ts';
import { lockDirectory } from './lock.ts';

/** What makes a build the same one: options and inputs, by the name an error gives them. */
export type Identity = Readonly<Record<string, string>>;

export const STAGES = ['measure', 'encode', 'cluster', 'assign', 'write', 'finished'] as const;
export type Stage = (typeof STAGES)[number];

/** How far a modality has come: everything before `row` of its stage is on disk. */
export interface ModalityProgress {
  readonly stage: Stage;
  readonly row: number;
  /** Of the encoder. */
  readonly state: readonly number[];
  readonly agreement?: number;
  /** Of a finished one. */
  readonly manifest?: ModalityManifest;
}

type ModalityQuality = QualityManifest['modalities'][number];

interface Journal {
  readonly identity: Identity;
  readonly attached: boolean;
  readonly sections: readonly SectionManifest[];
  readonly modalities: Readonly<Record<string, ModalityProgress>>;
  /** Of the cells that were written. */
  readonly grid?: GridManifest;
  /** Of the modalities that were measured. */
  readonly quality?: Readonly<Record<string, ModalityQuality>>;
  /** The number of the finished directory, from when it is about to be put in place. */
  readonly placing?: number;
}

export class Workspace {
  readonly directory: string;
  /** Where sections are written. */
  readonly index: string;
  /** Whether an earlier build left something to go on from. */
  readonly resumed: boolean;
  readonly #out: string;
  /** Where an index that stands aside for the new one is. */
  readonly #replaced: string;
  #journal: Journal;

  /**
   * Throws IndexError when `out` exists and is not an index (nothing of the user's is ever replaced), when another
   * process works here, and when what is to be resumed is another build.
   */
  constructor(out: string, identity: Identity, resume: boolean) {
    this.#out = resolve(out);
    this.directory = `${this.#out}.building`;
    this.index = join(this.directory, 'index');
    this.#replaced = join(this.directory, 'replaced');
    if (existsSync(this.#out) && !holdsIndex(this.#out) && !isEmptyDirectory(this.#out)) {
      throw new IndexError(`${out}: exists and is not an index; choose another --out or remove it`);
    }
    const left = changing(this.directory, () => {
      mkdirSync(this.directory, { recursive: true });
      lockDirectory(this.directory);
      putBack(this.#out, this.#replaced);
      const journal = resume ? this.#read(identity) : null;
      if (journal === null) this.#clear();
      if (!existsSync(this.index)) mkdirSync(this.index);
      return journal;
    });
    this.resumed = left !== null;
    this.#journal = left ?? { identity, attached: false, sections: [], modalities: {} };
  }

  get sections(): readonly SectionManifest[] {
    return this.#journal.sections;
  }

  get attached(): boolean {
    return this.#journal.attached;
  }

  progress(modality: string): ModalityProgress {
    return this.#journal.modalities[modality] ?? { stage: 'measure', row: 0, state: [] };
  }

  /** Notes how far a modality is, with the sections that are finished; what it says must be on disk already. */
  record(modality: string, progress: ModalityProgress, sections: readonly SectionManifest[] = []): void {
    const journal = this.#journal;
    this.#write({
      ...journal,
      sections: [...journal.sections, ...sections],
      modalities: { ...journal.modalities, [modality]: progress },
    });
  }

  recordAttached(sections: readonly SectionManifest[]): void {
    this.#write({ ...this.#journal, attached: true, sections: [...this.#journal.sections, ...sections] });
  }

  /** The grid whose cells are written, by this build or the one that is resumed. */
  get grid(): GridManifest | undefined {
    return this.#journal.grid;
  }

  recordGrid(grid: GridManifest, section: SectionManifest): void {
    this.#write({ ...this.#journal, grid, sections: [...this.#journal.sections, section] });
  }

  /** What was measured of a finished modality, by this build or the one that is resumed. */
  quality(modality: string): ModalityQuality | undefined {
    return this.#journal.quality?.[modality];
  }

  recordQuality(modality: string, quality: ModalityQuality): void {
    this.#write({ ...this.#journal, quality: { ...this.#journal.quality, [modality]: quality } });
  }

  /** What scratch files and sections take already. */
  bytes(): number {
    const of = (directory: string): number =>
      readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
        const path = join(directory, entry.name);
        return sum + (entry.isDirectory() ? of(path) : statSync(path).size);
      }, 0);
    return of(this.directory);
  }

  /** A scratch file of this build. */
  scratch(name: string): string {
    return join(this.directory, name);
  }

  /** Puts the finished directory in place of what stands at `out`, and removes the rest. */
  commit(manifestText: string): Manifest {
    const path = join(this.#out, 'manifest.json');
    if (!this.#isInPlace()) {
      writeDurably(join(this.index, 'manifest.json'), new TextEncoder().encode(manifestText));
      changing(this.index, () => syncDirectory(this.index));
      this.#write({ ...this.#journal, placing: statSync(this.index).ino });
      changing(this.#out, () => {
        putInPlace(this.index, this.#out, this.#replaced);
        syncDirectory(dirname(this.#out));
      });
    }
    this.abandon();
    return decodeManifest(manifestText, path);
  }

  /** Whether there is anything to go on from. */
  get started(): boolean {
    return existsSync(join(this.directory, 'journal.json'));
  }

  /** Removes everything but what stands at `out`. */
  abandon(): void {
    changing(this.directory, () => rmSync(this.directory, { recursive: true, force: true }));
  }

  #write(journal: Journal): void {
    const path = join(this.directory, 'journal.json');
    writeDurably(`${path}.new`, new TextEncoder().encode(JSON.stringify(journal)));
    changing(path, () => {
      renameSync(`${path}.new`, path);
      syncDirectory(this.directory);
    });
    this.#journal = journal;
  }

  #read(identity: Identity): Journal | null {
    const path = join(this.directory, 'journal.json');
    if (!existsSync(path)) return null;
    let journal: Journal;
    try {
      journal = JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new IndexError(`${path}: not readable (${(error as Error).message}); build again without --resume`);
    }
    for (const name of new Set([...Object.keys(journal.identity), ...Object.keys(identity)])) {
      const [before, now] = [journal.identity[name] ?? 'absent', identity[name] ?? 'absent'];
      if (before === now) continue;
      throw new IndexError(
        `${this.directory}: cannot resume, ${name} was ${before} and is ${now}; ` +
          'give the same options and inputs, or build anew without --resume',
      );
    }
    return journal;
  }

  #clear(): void {
    for (const name of readdirSync(this.directory)) {
      if (!isLock(name)) rmSync(join(this.directory, name), { recursive: true, force: true });
    }
  }

  /** Whether the build that is resumed was killed after its last step. */
  #isInPlace(): boolean {
    const { placing } = this.#journal;
    return placing !== undefined && existsSync(this.#out) && statSync(this.#out).ino === placing;
  }
}

/** Whether the manifest is one of ours, of whatever version and however damaged; web pages have a manifest.json too. */
function holdsIndex(path: string): boolean {
  try {
    return readFileSync(join(path, 'manifest.json'), 'latin1').startsWith(MANIFEST_START);
  } catch {
    return false;
  }
}
