// Every error a client can see: its code, status and title, and how it is written (RFC 9457, problem details).

import { type Static, Type } from 'typebox';

/** The media type of errors, which are JSON whatever a request accepts. */
export const problemType = 'application/problem+json';

/** Code → status and title. The code is the fragment of the problem's type, which /docs explains. */
export const problems = {
  'invalid-request': { status: 400, title: 'The request does not match its schema' },
  'malformed-body': { status: 400, title: 'The body cannot be read' },
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  'unknown-route': { status: 404, title: 'There is nothing at this address' },
  'unknown-collection': { status: 404, title: 'There is no such collection' },
  'unknown-session': { status: 404, title: 'There is no such session' },
  'unknown-label': { status: 404, title: 'The item has no label' },
  'unknown-job': { status: 404, title: 'There is no such job' },
  'no-thumbnail': { status: 404, title: 'The item has no thumbnail' },
  'method-not-allowed': { status: 405, title: 'The address does not answer this method' },
  'not-acceptable': { status: 406, title: 'No acceptable representation' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  'nothing-to-undo': { status: 409, title: 'There is nothing to undo' },
  'index-replaced': { status: 409, title: 'The session belongs to another index' },
  'session-full': { status: 409, title: 'The session has reached a limit' },
  'no-model': { status: 409, title: 'There is nothing to learn from' },
  'job-unfinished': { status: 409, title: 'The job has no result' },
  'stale-cursor': { status: 410, title: 'The ranking of the cursor is over' },
  'stale-revision': { status: 412, title: 'The session has changed' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'too-many-labels': { status: 413, title: 'Too many labels' },
  'address-too-long': { status: 414, title: 'The address is too long' },
  'unsupported-media-type': { status: 415, title: 'The body is of an unknown kind' },
  'range-not-satisfiable': { status: 416, title: 'The result has no such range' },
  'unknown-item': { status: 422, title: 'There is no such item' },
  'unprocessable-request': { status: 422, title: 'The request does not fit the collection' },
  'idempotency-key-reused': { status: 422, title: 'The key came with another body before' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  'client-closed-request': { status: 499, title: 'The client left before the round began' },
  'internal-error': { status: 500, title: 'Something failed in the server' },
  overloaded: { status: 503, title: 'Too many rounds are waiting' },
  'too-many-sessions': { status: 503, title: 'The server holds as many sessions as it may' },
  'too-many-jobs': { status: 503, title: 'Too many jobs are waiting' },
  'storage-failed': { status: 503, title: 'The change could not be stored' },
  'warming-up': { status: 503, title: 'The indexes are being read into memory' },
  closing: { status: 503, title: 'The server is closing' },
} as const satisfies Record<string, { status: number; title: string }>;

/** A code of the table above. */
export type ProblemCode = keyof typeof problems;

/** What is wrong with one place of the request; the pointer is a JSON pointer (RFC 6901) into it. */
export interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

/** At most this many faults are listed in one answer. */
export const maxFaults = 20;

/** An error to be told to the client. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly faults: readonly Fault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    { faults = [], headers = {} }: { faults?: readonly Fault[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.code = code;
    this.faults = faults.slice(0, maxFaults);
    this.headers = headers;
  }

  get status(): number {
    return problems[this.code].status;
  }
}

/** The body of an error answer. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'Identifies the kind of problem; explained at this address.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    request_id: Type.String(),
    errors: Type.Array(
      Type.Object({ pointer: Type.String(), detail: Type.String() }, { additionalProperties: false }),
      { description: 'Places in the request that are wrong.' },
    ),
  },
  { additionalProperties: false, description: 'Problem details (RFC 9457)' },
);

/** The body for a problem. */
export function problemBody(problem: Problem, requestId: string): Static<typeof ProblemSchema> {
  return {
    type: `/docs#${problem.code}`,
    title: problems[problem.code].title,
    status: problem.status,
    detail: problem.message,
    request_id: requestId,
    errors: [...problem.faults],
  };
}

/** Anything thrown while a request was served, as a problem: ours as it is, the framework's by status, the rest 500. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { validation, validationContext, statusCode, code: frameworkCode, message } = error as FrameworkError;
  if (validation !== undefined) {
    const faults = validation.map((fault) => faultOf(fault, validationContext));
    return new Problem('invalid-request', faults[0]?.detail ?? 'invalid request', { faults });
  }
  const unreadableBody = statusCode === 400 && frameworkCode?.startsWith('FST_ERR_CTP_');
  const code = unreadableBody ? 'malformed-body' : codeByStatus[statusCode ?? 500];
  if (code !== undefined) return new Problem(code, message);
  return new Problem('internal-error', 'An unexpected error; the log has more under this request id.');
}

/** What the framework throws: FastifyError, as far as it is used here. */
interface FrameworkError {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message: string;
  readonly validationContext?: string;
  readonly validation?: readonly ValidationFault[];
}

interface ValidationFault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

const codeByStatus: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed-request',
  404: 'unknown-route',
  408: 'request-timeout',
  413: 'body-too-large',
  414: 'address-too-long',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
  431: 'headers-too-large',
};

/** Ajv's error as a pointer and a sentence; a fault elsewhere points into `/query` or `/params`. */
function faultOf({ keyword, instancePath, params, message }: ValidationFault, context = 'body'): Fault {
  const root = context === 'querystring' ? '/query' : context === 'params' ? '/params' : '';
  const base = `${root}${instancePath}`;
  const at = base === '' ? 'the body' : base;
  if (keyword === 'additionalProperties') {
    return {
      pointer: join(base, params.additionalProperty),
      detail: `unknown field '${String(params.additionalProperty)}'`,
    };
  }
  if (keyword === 'required') {
    return { pointer: join(base, params.missingProperty), detail: `'${String(params.missingProperty)}' is required` };
  }
  if (keyword === 'enum' && Array.isArray(params.allowedValues)) {
    return { pointer: base, detail: `${at} must be one of ${params.allowedValues.join(', ')}` };
  }
  return { pointer: base, detail: `${at} ${message ?? 'is invalid'}` };
}

function join(base: string, name: unknown): string {
  return `${base}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
