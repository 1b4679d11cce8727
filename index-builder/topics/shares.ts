// The rows that are written: of each text its strongest topics and their shares, or all shares.

import { join } from 'node:path';
import type { Corpus } from './corpus.ts';
import { RowFile } from './files.ts';
import type { TopicModel } from './model.ts';
import { strongest } from './strongest.ts';
import type { Workspace } from './workspace.ts';

const BATCH_TEXTS = 4096;
const DENSE_FILE = 'topics.npy';
const SCORES_FILE = 'topic_scores.npy';
const IDS_FILE = 'topic_ids.npy';

/** Goes on where the workspace says an earlier run was. `kept` is null for all shares. */
export function writeShares(
  model: TopicModel,
  corpus: Corpus,
  kept: number | null,
  workspace: Workspace,
  onProgress: (done: number, total: number) => void,
): void {
  const { topics } = model.settings;
  const columns = kept === null ? topics : Math.min(kept, topics);
  const { folder } = workspace;
  const { written, measured } = workspace.progress;
  let { empty } = workspace.progress;
  const shape = [corpus.texts, columns] as const;
  const scores = new RowFile(join(folder, kept === null ? DENSE_FILE : SCORES_FILE), 'f4', shape, written);
  const ids = kept === null ? null : new RowFile(join(folder, IDS_FILE), 'u2', shape, written);
  for (let first = written; first < corpus.texts; first += BATCH_TEXTS) {
    const batch = corpus.read([{ first, count: Math.min(BATCH_TEXTS, corpus.texts - first) }]);
    const shares = model.shares(batch);
    const texts = batch.starts.length - 1;
    for (let text = 0; text < texts; text++) {
      if (batch.starts[text] !== batch.starts[text + 1]) continue;
      // Nothing is known of it: no topic, rather than a little of every one.
      shares.fill(0, text * topics, (text + 1) * topics);
      empty++;
    }
    if (ids === null) scores.append(shares);
    else {
      const best = strongest(shares, topics, columns);
      scores.append(best.scores);
      ids.append(best.ids);
    }
    const done = first + texts;
    onProgress(done, corpus.texts);
    if (!workspace.isDue && done < corpus.texts) continue;
    scores.sync();
    ids?.sync();
    workspace.checkpoint({ measured, written: done, empty });
  }
  scores.end();
  ids?.end();
}

/** What --modality takes once the rows stand in the folder `out`. */
export function modalityOf(out: string, kept: number | null, topics: number): string {
  return kept === null ? join(out, DENSE_FILE) : `${join(out, SCORES_FILE)},ids=${join(out, IDS_FILE)},dims=${topics}`;
}
