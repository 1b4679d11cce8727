// One thread that decodes pictures, resizes them and writes them into the tensors of batches.

import { parentPort, workerData } from 'node:worker_threads';
import type { DecodeReply, DecodeRequest, DecoderSetup } from './decoder-messages.ts';
import { loadSharp, readPicture } from './picture-file.ts';
import { fillTensor } from './tensor.ts';

if (parentPort !== null) {
  const port = parentPort;
  const { preprocessing, layout, values } = workerData as DecoderSetup;
  const sharp = await loadSharp();
  port.on('message', async ({ ticket, path, tensor, slot }: DecodeRequest) => {
    let problem: string | null = null;
    try {
      const picture = await readPicture(sharp, path, preprocessing.background);
      const bytes = values * Float32Array.BYTES_PER_ELEMENT;
      fillTensor(picture, preprocessing, layout, new Float32Array(tensor, slot * bytes, values));
    } catch (error) {
      problem = (error as Error).message.replaceAll(/\s+/g, ' ').trim();
    }
    port.postMessage({ ticket, problem } satisfies DecodeReply);
  });
}
