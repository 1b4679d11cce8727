// Sweeps of a session, and the jobs they become: ordered, told of, audited, deleted.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from 'typebox';
import { type Estimate, relevantItems, type StratumCount } from '../audit.ts';
import { clockMs } from '../engine.ts';
import { Problem } from '../errors.ts';
import type { AuditSample, SweepOrder } from '../jobs/job.ts';
import type { Selection } from '../scan-sweep.ts';
import { describe, urlOf } from './job-reply.ts';
import { AuditSchema, JobParams, JobSchema, type SweepBody, sweepBody } from './job-schemas.ts';
import type { RouteOptions } from './route.ts';
import { mediaTypes, problemAnswers } from './schemas.ts';
import { collectionOf, requireMatch } from './session-access.ts';
import { nextTraining } from './session-round.ts';
import { Done, SessionParams } from './session-schemas.ts';

const AUDIT_DEFAULTS = { strata: 4, perStratum: 25 };
const ALPHA = 2;
/** Of the audit's intervals. */
const INTERVAL = 0.9;

/** POST /sessions/{session}/sweeps, GET and DELETE /jobs/{job}, and what else there is to a job but its result. */
export const jobRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, options) => {
  const { collections, sessions, jobs, config } = options;
  const common = { tags: ['jobs'], produces: [...mediaTypes] };

  app.post(
    '/sessions/:session/sweeps',
    {
      preValidation: async (request) => {
        request.body ??= {};
      },
      schema: {
        ...common,
        summary: 'Scores every item with the model of the labels so far; a job',
        consumes: [...mediaTypes],
        params: SessionParams,
        body: sweepBody(config),
        response: { 202: JobSchema, ...problemAnswers(400, 404, 406, 409, 412, 413, 415, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const session = sessions.get(request.params.session);
      requireMatch(request, session);
      const collection = collectionOf(collections, session);
      const { model, modalities, filter } = body;
      const own = {
        ...(model === undefined ? {} : { model }),
        ...(modalities === undefined ? {} : { modalities }),
        ...(filter === undefined ? {} : { filter }),
      };
      const training = nextTraining(session, collection, config, clockMs(), own);
      const { created, revision } = session.state;
      const order: SweepOrder = {
        positive: [...training.positive],
        negative: [...training.negative],
        seed: training.seed,
        model: training.model,
        modalities: training.modalities,
        selection: selectionOf(body, collection.items),
        ...(training.filter === undefined ? {} : { filter: training.filter }),
        order: body.order ?? 'score',
        format: body.format ?? 'ndjson',
        audit: auditOf(body, config.maxAuditLabels),
        maxResultBytes: config.maxResultBytes,
        maxSweepBytes: config.maxSweepBytes,
        partRows: config.jobPartRows,
      };
      const { collection: name, generation } = created;
      const job = jobs.start({ session: session.id, revision, collection: name, generation, order });
      reply.code(202).header('location', urlOf(job));
      return describe(job);
    },
  );

  app.get(
    '/jobs/:job',
    {
      schema: {
        ...common,
        summary: 'How far a job is',
        params: JobParams,
        response: { 200: JobSchema, ...problemAnswers(400, 404, 406, 429) },
      },
    },
    async ({ params }) => describe(jobs.get(params.job)),
  );

  app.post(
    '/jobs/:job/cancel',
    {
      schema: {
        ...common,
        summary: 'Stops a job, if it is not done, and keeps what it has done so far',
        params: JobParams,
        response: { 200: JobSchema, ...problemAnswers(400, 404, 406, 429) },
      },
    },
    async ({ params }) => describe(await jobs.cancel(params.job)),
  );

  app.post(
    '/jobs/:job/resume',
    {
      schema: {
        ...common,
        summary:
          'Goes on with a job that was cancelled or failed, from its last durable part; leaves others as they are',
        params: JobParams,
        response: { 202: JobSchema, ...problemAnswers(400, 404, 406, 429, 503) },
      },
    },
    async ({ params }, reply) => reply.code(202).send(describe(jobs.resume(params.job))),
  );

  app.delete(
    '/jobs/:job',
    {
      schema: {
        ...common,
        summary: 'Stops a job, if it is not done, and forgets it and its result',
        params: JobParams,
        response: { 204: Done, ...problemAnswers(400, 404, 406, 429) },
      },
    },
    async ({ params }, reply) => {
      await jobs.remove(params.job);
      return reply.code(204).send();
    },
  );

  app.get(
    '/jobs/:job/audit',
    {
      schema: {
        ...common,
        summary: 'What the labels of the sample say of a sweep: its precision, and the relevant items it left out',
        params: JobParams,
        response: { 200: AuditSchema, ...problemAnswers(400, 404, 406, 409, 429) },
      },
    },
    async ({ params }) => {
      const { record } = jobs.get(params.job);
      const { summary } = record;
      if (summary === null)
        throw new Problem('job-unfinished', `the job is ${record.status}; the sample is drawn at its end`);
      if (summary.audit === null) throw new Problem('unknown-job', "the sweep was ordered without 'audit'");
      const session = sessions.get(record.session);
      const { keys } = collectionOf(collections, session);
      return auditAnswer(record.id, summary.audit, session.state.labels, (id) => {
        return keys === null ? { id } : { id, key: keys.keyOf(id) };
      });
    },
  );
};

function selectionOf({ alpha, score, count }: SweepBody, items: number): Selection {
  const given = [alpha, score, count].filter((value) => value !== undefined).length;
  if (given > 1) {
    const detail = 'give one of alpha, score and count';
    throw new Problem('invalid-request', detail, { faults: [{ pointer: '', detail }] });
  }
  if (count !== undefined) return { by: 'count', count: Math.min(count, items) };
  return score === undefined ? { by: 'alpha', alpha: alpha ?? ALPHA } : { by: 'score', score };
}

function auditOf({ audit }: SweepBody, maxAuditLabels: number): SweepOrder['audit'] {
  if (audit === undefined) return null;
  const { strata = AUDIT_DEFAULTS.strata, per_stratum: perStratum = AUDIT_DEFAULTS.perStratum } = audit;
  const labels = 2 * strata * perStratum;
  if (labels > maxAuditLabels) {
    const detail = `${labels} items would have to be labelled; at most ${maxAuditLabels} are drawn`;
    throw new Problem('invalid-request', detail, { faults: [{ pointer: '/audit', detail }] });
  }
  return { strata, perStratum };
}

function auditAnswer(
  job: string,
  { strata, known }: AuditSample,
  labels: ReadonlyMap<number, 1 | -1>,
  name: (id: number) => { id: number; key?: string },
): Static<typeof AuditSchema> {
  const counted = strata.map(({ selected, items, sample }) => {
    const gap = sample.findIndex((item) => !labels.has(item));
    const first = gap < 0 ? sample : sample.slice(0, gap);
    const relevant = first.filter((item) => labels.get(item) === 1).length;
    return { selected, items, sampled: sample.length, labelled: first.length, relevant };
  });
  const missing = strata.flatMap(({ sample }) => sample.filter((item) => !labels.has(item)));
  const side = (isSelected: boolean, { positives, negatives }: AuditSample['known']['rest']) => {
    const parts: StratumCount[] = counted.filter(({ selected }) => selected === isSelected);
    const { estimate, low, high } = relevantItems(parts);
    const items = parts.reduce((sum, part) => sum + part.items, positives + negatives);
    const relevant = { estimate: estimate + positives, low: low + positives, high: high + positives };
    return { items, labelled_before: positives + negatives, relevant };
  };
  const selected = side(true, known.selected);
  const shareOf = ({ estimate, low, high }: Estimate, items: number) => {
    return { estimate: estimate / items, low: low / items, high: high / items };
  };
  return {
    job,
    interval: INTERVAL,
    selected: {
      ...selected,
      ...(selected.items === 0 ? {} : { precision: shareOf(selected.relevant, selected.items) }),
    },
    rest: side(false, known.rest),
    strata: counted,
    complete: missing.length === 0,
    to_label: missing.map(name),
  };
}
