// Vectors to a scratch file of records, in two passes over the input: the first finds the scale.

import type { Encoder } from '../../src/codecs/codec.ts';
import type { VectorReader } from '../readers/reader.ts';
import { ScratchFile } from './scratch.ts';
import { partRows, type StageOptions } from './stage.ts';

/** Returns the finished scratch file. Goes on from where the workspace says that an earlier build came. */
export async function encodeRows(reader: VectorReader, encoder: Encoder, options: StageOptions): Promise<ScratchFile> {
  const { workspace, modality, threads, checkpointRows } = options;
  const rowBytes = reader.kind === 'dense' ? 4 * reader.dims : 12 * reader.perRow;
  const rowsPerPart = partRows(Math.max(rowBytes, encoder.sizes.record), checkpointRows);
  const path = workspace.scratch(`${modality}.records`);
  let { stage, row, state } = workspace.progress(modality);
  if (row > 0 || stage !== 'measure') encoder.resume(state);
  if (stage === 'measure') {
    for await (const chunk of reader.chunks(rowsPerPart, row)) {
      encoder.measure(chunk, threads);
      row = chunk.firstRow + chunk.rows;
      options.onProgress('encode', row, 2 * reader.rows);
      if (row === reader.rows || isCheckpoint(chunk.firstRow, row, checkpointRows)) {
        const finished = row === reader.rows;
        state = encoder.state();
        workspace.record(modality, { stage: finished ? 'encode' : 'measure', row: finished ? 0 : row, state });
      }
    }
    stage = 'encode';
    row = 0;
  }
  const records = new ScratchFile(path, encoder.sizes.record, stage === 'encode' ? row : reader.rows);
  if (stage !== 'encode') return records;
  const buffer = new Uint8Array(rowsPerPart * encoder.sizes.record);
  for await (const chunk of reader.chunks(rowsPerPart, row)) {
    const part = buffer.subarray(0, chunk.rows * encoder.sizes.record);
    encoder.encode(chunk, threads, part);
    records.append(part);
    options.onProgress('encode', reader.rows + records.rows, 2 * reader.rows);
    const finished = records.rows === reader.rows;
    if (finished || isCheckpoint(chunk.firstRow, records.rows, checkpointRows)) {
      records.sync();
      const next = finished ? ({ stage: 'cluster', row: 0 } as const) : { stage, row: records.rows };
      workspace.record(modality, { ...next, state: encoder.state() });
    }
  }
  return records;
}

/** Whether the rows [first, end) end or cross a whole number of checkpoints. */
export function isCheckpoint(first: number, end: number, checkpointRows: number): boolean {
  return Math.floor(first / checkpointRows) !== Math.floor(end / checkpointRows);
}
