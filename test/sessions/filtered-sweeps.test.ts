// Sweeps with a filter over HTTP: what is selected, told and audited are items that pass it; moments are those of all items.

import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { buildSmallIndex, startTestServer } from '../support.ts';
import { SessionClient } from './client.ts';

interface JobReply {
  readonly id: string;
  readonly status: string;
  readonly filter?: unknown;
  readonly result?: Readonly<Record<'items' | 'threshold' | 'mean' | 'deviation' | 'items_passing', number>> & {
    readonly audit?: string;
  };
}

interface Row {
  readonly id: number;
  readonly score: number;
}

interface AuditReply {
  readonly selected: { readonly items: number; readonly labelled_before: number };
  readonly rest: { readonly items: number; readonly labelled_before: number };
  readonly strata: readonly { readonly items: number }[];
  readonly to_label: readonly { readonly id: number }[];
}

const items = 1500;
// Item i is of the year 2000 + i % 20.
const directory = await buildSmallIndex(t, { items, attachments: true });
const server = await startTestServer(t, { collections: { small: directory } });
const labels = { positive: [17, 38, 159], negative: [2, 71, 828, 1001, 1018] };
const recent = { must: [{ field: 'year', range: { gte: 2017, lt: 2019 } }] };
const isRecent = (id: number): boolean => id % 20 === 17 || id % 20 === 18;
const passing = 150;

async function sweep(session: SessionClient, order: unknown): Promise<JobReply & { readonly rows: readonly Row[] }> {
  const ordered = await session.call<JobReply>('POST', '/sweeps', order);
  t.equal(ordered.status, 202, JSON.stringify(ordered.body));
  for (;;) {
    const { body } = await server.request<JobReply>(`/v1/jobs/${ordered.body.id}`);
    if (body.status === 'queued' || body.status === 'running') await sleep(10);
    else if (body.status !== 'done') throw new Error(JSON.stringify(body));
    else {
      const result = await server.request<Buffer>(`/v1/jobs/${body.id}/result`);
      const lines = `${result.body}`.split('\n').slice(0, -1);
      return { ...body, rows: lines.map((line) => JSON.parse(line) as Row) };
    }
  }
}

async function labelled(settings: unknown): Promise<SessionClient> {
  const session = await SessionClient.create(server, { seed: 5, ...(settings as object) });
  await session.call('PUT', '/labels', labels);
  return session;
}

const plain = await labelled({});
const filtered = await labelled({ filter: recent });

t.test('a sweep selects what passes the filter of its session, at the threshold of all items', async (t) => {
  for (const modalities of [{ visual: {} }, undefined]) {
    for (const selection of [{ alpha: 0.5 }, { score: -0.2 }]) {
      const order = { ...selection, ...(modalities === undefined ? {} : { modalities }) };
      const [all, some] = [await sweep(plain, order), await sweep(filtered, order)];
      t.strictSame(
        some.rows,
        all.rows.filter(({ id }) => isRecent(id)),
      );
      t.ok(some.rows.length > 5 && some.rows.length < all.rows.length);
      const { threshold, mean, deviation, items_passing } = some.result ?? {};
      t.match(all.result, { threshold, mean, deviation });
      t.equal(items_passing, passing);
      t.equal(some.result?.items, some.rows.length);
      t.strictSame(some.filter, recent);
      t.notOk('filter' in all || 'items_passing' in (all.result ?? {}), 'nothing is said where there is none');
    }
  }
});

t.test(
  'a count is of the best that pass, all of them where it asks for more; a sweep may have its own filter',
  async (t) => {
    const all = await sweep(plain, { count: items });
    const expected = all.rows.filter(({ id }) => isRecent(id));
    t.strictSame((await sweep(filtered, { count: 40 })).rows, expected.slice(0, 40));
    t.strictSame((await sweep(filtered, { count: items })).rows, expected);
    const other = { must: [{ field: 'year', in: [2004] }] };
    const own = await sweep(filtered, { count: items, filter: other });
    t.strictSame(
      own.rows,
      all.rows.filter(({ id }) => id % 20 === 4),
    );
    t.match(own, { filter: other, result: { items_passing: 75 } });
    const none = await sweep(filtered, { count: 5, filter: { must: [{ field: 'yaer', in: [2004] }] }, audit: {} });
    t.match(none, { rows: [], result: { items: 0, items_passing: 0 } });
    t.match((await server.request(none.result?.audit ?? '')).body, { strata: [], rest: { items: 0 }, complete: true });
  },
);

t.test('an audit is of the items that pass', async (t) => {
  const { result, rows } = await sweep(filtered, { count: 60, audit: { strata: 2, per_stratum: 30 } });
  const { body } = await server.request<AuditReply>(result?.audit ?? '');
  const known = [...labels.positive, ...labels.negative].filter(isRecent);
  t.strictSame(known, [17, 38, 1018]);
  const selected = known.filter((id) => rows.some((row) => row.id === id)).length;
  t.match(body, {
    selected: { items: 60, labelled_before: selected },
    rest: { items: passing - 60, labelled_before: known.length - selected },
  });
  t.equal(
    body.strata.reduce((sum, stratum) => sum + stratum.items, 0),
    passing - known.length,
  );
  t.equal(body.to_label.length, new Set(body.to_label.map(({ id }) => id)).size);
  t.ok(body.to_label.length > 100 && body.to_label.every(({ id }) => isRecent(id) && !known.includes(id)));
});
