// Multi-probe search: the items of the p cheapest buckets of every table are scored exactly, and the best are kept.

import type { Modality } from '../../../src/index/open.ts';
import { native } from '../../../src/native.ts';
import type { Baseline } from '../baseline.ts';
import { bestOf } from '../best-items.ts';
import { ItemSet } from '../item-set.ts';
import { probes } from './probes.ts';
import type { LshTables, Table } from './tables.ts';

/**
 * Reads p buckets of each table, whatever they hold, and further ones by turns only while fewer than `least` items were
 * found, so that an answer is never short, as a round's is not (hashing itself promises no number of results).
 */
export function lshSearch(modality: Modality, items: number, { tables, choices }: LshTables, p: number): Baseline {
  const met = new ItemSet(items);
  let found = new Uint32Array(1024);
  return {
    name: `LSH L=${tables.length} p=${p}`,
    search({ weights, bias }, { most, least, skip }) {
      let count = 0;
      const read = ({ starts, items }: Table, bucket: number): void => {
        const end = starts[bucket + 1] as number;
        for (let at = starts[bucket] as number; at < end; at++) {
          const item = items[at] as number;
          if (met.has(item)) continue;
          met.add(item);
          if (count === found.length) found = doubled(found);
          found[count++] = item;
        }
      };
      met.addAll(skip);
      const orders = choices(weights).map((parts, t) => ({ table: tables[t] as Table, order: probes(parts) }));
      for (let probe = 0, open = true; open && (probe < p || count < least); probe++) {
        open = false;
        for (const { table, order } of orders) {
          const { value, done } = order.next();
          if (done) continue;
          open = true;
          read(table, value);
        }
      }
      const candidates = found.subarray(0, count);
      const scores = new Float64Array(count);
      native.scoreItems(native.linearHead(modality.cells, weights, bias), candidates, scores);
      const best = bestOf(scores, most, candidates).map((position) => candidates[position] as number);
      met.deleteAll(candidates);
      met.deleteAll(skip);
      return best;
    },
  };
}

function doubled(list: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(2 * list.length);
  longer.set(list);
  return longer;
}
