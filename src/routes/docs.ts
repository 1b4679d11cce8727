// The OpenAPI description and a page that shows it: plain HTML without scripts, written once from the description.

import { createHash } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import { problems } from '../errors.ts';

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; }
code, pre { font: 13px/1.45 ui-monospace, monospace; background: #f4f4f4; }
pre { padding: .75rem; overflow-x: auto; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; }
.method { display: inline-block; min-width: 3.5rem; font-weight: 600; }
@media (prefers-color-scheme: dark) {
  body { background: #161616; color: #e6e6e6; }
  code, pre { background: #262626; }
  a { color: #8ab4f8; }
}
`;

const example = `curl http://HOST/v1/collections/NAME/suggest -H 'content-type: application/json' -d '{
  "labels": { "positive": [12, 77], "negative": [9] },
  "k": 25,
  "search": { "clusters": 256 }
}'`;

/** The part of the Content-Security-Policy that lets the page have its style. */
export const docsStyleSource = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

/** GET /openapi.json, /docs and /. */
export const docsRoutes: FastifyPluginAsync = async (app) => {
  let page: string | null = null;

  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(app.swagger())),
  );

  app.get('/docs', { schema: { hide: true } }, async (_request, reply) => {
    page ??= render(app.swagger() as unknown as Description);
    return reply.type('text/html; charset=utf-8').send(page);
  });

  app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs', 302));
};

/** As much of an OpenAPI document as the page shows. */
interface Description {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema?: Schema;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses?: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}

type Schema = Readonly<Record<string, unknown>>;

function render({ info, paths }: Description): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => renderOperation(path, method, operation)),
  );
  const rows = Object.entries(problems).map(
    ([code, { status, title }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${escapeHtml(title)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)}</title><style>${style}</style></head>
<body>
<h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>
<p>${escapeHtml(info.description ?? '')}</p>
<p>Machine-readable: <a href="/openapi.json">/openapi.json</a>. A first round:</p>
<pre>${escapeHtml(example)}</pre>
${operations.join('\n')}
<h2>Problems</h2>
<p>Every error is <code>application/problem+json</code> (RFC 9457); its <code>type</code> is one of these.</p>
<table><tr><th>Type</th><th>Status</th><th>Meaning</th></tr>
${rows.join('\n')}
</table>
</body>
</html>
`;
}

function renderOperation(path: string, method: string, operation: Operation): string {
  const { summary = '', parameters = [], requestBody, responses = {} } = operation;
  const body = Object.values(requestBody?.content ?? {})[0]?.schema;
  const answer = Object.values(responses['200']?.content ?? {})[0]?.schema;
  const named = parameters.map(
    ({ name, in: place, schema, description }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(place)}</td>` +
      `<td>${escapeHtml(description ?? String(schema?.description ?? ''))}</td></tr>`,
  );
  return [
    `<h2><span class="method">${method.toUpperCase()}</span> <code>${escapeHtml(path)}</code></h2>`,
    `<p>${escapeHtml(summary)}</p>`,
    named.length > 0 ? `<table>${named.join('')}</table>` : '',
    body === undefined ? '' : `<h3>Body</h3><pre>${escapeHtml(outline(body, ''))}</pre>`,
    answer === undefined ? '' : `<h3>Answer</h3><pre>${escapeHtml(outline(answer, ''))}</pre>`,
    `<p>Status: ${escapeHtml(Object.keys(responses).join(', '))}</p>`,
  ].join('\n');
}

/** A schema as an indented outline: one line per field, with its type, range and description. */
function outline(schema: Schema, indent: string): string {
  const lines: string[] = [];
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>;
  const required = new Set((schema.required ?? []) as readonly string[]);
  const named = Object.entries(properties).map(
    ([name, field]) => [name, required.has(name) ? '' : '?', field] as const,
  );
  const others = (schema.patternProperties ?? {}) as Readonly<Record<string, Schema>>;
  const dictionary = Object.values(others).map((field) => ['<name>', '', field] as const);
  for (const [name, mark, field] of [...named, ...dictionary]) {
    const text = [kindOf(field), rangeOf(field), field.description].filter((part) => part !== undefined && part !== '');
    lines.push(`${indent}${name}${mark}: ${text.join(' · ')}`);
    const inner = (field.type === 'array' ? field.items : field) as Schema | undefined;
    for (const branch of (inner?.oneOf ?? [inner]) as readonly (Schema | undefined)[]) {
      if (branch === undefined) continue;
      const below = outline(branch, `${indent}  `);
      if (below !== '') lines.push(below);
    }
  }
  return lines.join('\n');
}

function kindOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.type === 'array') return `array of ${kindOf((schema.items ?? {}) as Schema)}`;
  return [schema.type].flat().join(' or ');
}

function rangeOf(schema: Schema): string {
  const low =
    schema.minimum ?? (schema.exclusiveMinimum === undefined ? undefined : `above ${schema.exclusiveMinimum}`);
  return low === undefined || schema.maximum === undefined ? '' : `${low} to ${schema.maximum}`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
