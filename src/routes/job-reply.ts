// What is told of a job, as it stands.

import type { Static } from 'typebox';
import type { Job } from '../jobs/jobs.ts';
import type { FilterSchema } from './filter-schema.ts';
import type { JobSchema } from './job-schemas.ts';

/** Where a job is. */
export function urlOf({ record }: Job): string {
  return `/v1/jobs/${record.id}`;
}

/** What is told of a job. */
export function describe(job: Job): Static<typeof JobSchema> {
  const { record, progress } = job;
  const { id, session, revision, collection, generation, status, createdAt, error, summary, order } = record;
  return {
    id,
    url: urlOf(job),
    session,
    revision,
    collection,
    generation,
    status,
    created: new Date(createdAt).toISOString(),
    ...(order.filter === undefined ? {} : { filter: order.filter as Static<typeof FilterSchema> }),
    ...(progress === null ? {} : { progress: { ...progress, ...etaOf(job) } }),
    ...(error === null ? {} : { error }),
    ...(summary === null
      ? {}
      : {
          result: {
            url: `${urlOf(job)}/result`,
            format: order.format,
            items: summary.items,
            bytes: summary.bytes,
            resumed_rows: summary.resumedRows,
            threshold: summary.threshold,
            mean: summary.mean,
            deviation: summary.deviation,
            ...(summary.itemsPassing === undefined ? {} : { items_passing: summary.itemsPassing }),
            scan_error: summary.scanError,
            positives: summary.positives,
            negatives: summary.negatives,
            pseudo_negatives: summary.pseudoNegatives,
            stages_ms: { ...summary.stagesMs },
            ...(summary.audit === null ? {} : { audit: `${urlOf(job)}/audit` }),
          },
        }),
  };
}

/** What is left of the stage at its pace so far. */
function etaOf({ progress, stageStartedAt }: Job): { eta_ms?: number } {
  if (progress === null || progress.done === 0) return {};
  const elapsed = Date.now() - stageStartedAt;
  return { eta_ms: Math.round((elapsed / progress.done) * (progress.total - progress.done)) };
}
