// The figures command on results of known content: what is drawn, what is refused.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';
import t, { type Test } from 'tap';
import { drawFigures } from '../../bench/figures/draw.ts';
import { temporaryFolder } from '../support.ts';
import { type ExampleResult, exampleResult, SWEEP } from './example-results.ts';

const COMMAND = fileURLToPath(new URL('../../bench/figures.js', import.meta.url));
const PROTOCOLS = ['imagenet', 'imagenet-unknown', 'yfcc100m', 'lsc', 'iris'] as const;

t.test('every figure of the papers is drawn, holds its series and is not blank', async (t) => {
  const folder = temporaryFolder(t);
  const files = PROTOCOLS.map((protocol) => write(folder, `${protocol}.json`, exampleResult(protocol)));
  const out = join(folder, 'out');
  const { status, stderr } = figures(...files, '--out', out);
  t.equal(status, 0, stderr);
  const expected: Readonly<Record<string, readonly string[]>> = {
    fig2: ['known concept', 'unknown concept', 'Exquisitor', 'kNN + LSH', 'Precision, mean of 10 rounds'],
    'fig2-rounds': ['Exquisitor', 'Blackthorn', 'SVM + LSH', 'kNN + eCP', 'kNN + LSH', 'Round'],
    'fig2-rounds-unknown': ['Exquisitor', 'kNN + LSH', 'Precision in each round, unknown concepts'],
    table1: ['mean, ms', 'p99, ms', '0.800', '130 (1 w), 17 (16 w)'],
    fig4: ['Exquisitor, S_c = 1', 'Exquisitor, S_c = 16', 'Blackthorn', ...SWEEP.map(String)],
    fig5: ['Exquisitor, S_c = 16', 'Blackthorn', 'paper: Blackthorn, 16 cores: 1,200 ms', '1,000'],
    fig6: [
      'Exquisitor, S_c = 1',
      'Blackthorn',
      'SVM + LSH',
      'kNN + eCP',
      'kNN + LSH',
      'SVM + HNSW',
      'SVM, plain float32',
    ],
    found: ['Exquisitor, b = 64', 'Exquisitor, b = 256', 'Blackthorn', '50'],
    iris: ['manual', 'SpreadS', 'SpreadS + RandS', 'SpreadS + GridS', 'paper: 0.308 to 0.327', 'seeds'],
    'iris-swept': ['SpreadS + GridS', 'Composite metric by mix of samplers, after the final sweep'],
    'iris-zeta': ['√(d_r · L_e), N = 10', 'L_e, N = 20', 'd_r, N = 20', '0.50'],
  };
  for (const [name, texts] of Object.entries(expected)) {
    const svg = readFileSync(join(out, `${name}.svg`), 'utf8');
    checkSvg(t, name, svg, texts);
    checkPng(t, name, readFileSync(join(out, `${name}.png`)), svg);
  }
  const index = readFileSync(join(out, 'index.md'), 'utf8');
  for (const name of Object.keys(expected)) t.ok(index.includes(`![`) && index.includes(`](${name}.svg)`), name);
  t.match(
    readFileSync(join(out, 'table1.md'), 'utf8'),
    /^\| system \| mean, ms .*\n\|---\|---:.*\n\| Exquisitor \| 0\.800 /,
  );
  const kinds = Object.keys(expected).flatMap((name) => [`${name}.svg`, `${name}.png`]);
  const tables = ['table1.md', 'iris.md', 'iris-swept.md', 'iris-zeta.md', 'index.md'];
  t.strictSame(readdirSync(out).sort(), [...kinds, ...tables].sort(), 'nothing else is left');
});

t.test('the tables of IRIS have every measure of every mix at every budget, and the differences', async (t) => {
  const folder = temporaryFolder(t);
  const result = exampleResult('iris');
  const difference = { seeds: 5, system: 'spread+rand', measure: 'swept_composite', beside: 'spread', a: 50 };
  const differences = [{ ...difference, beside_measure: 'composite', mean: 0.12, se: 0.01, p: 0.0004 }];
  await drawFigures([write(folder, 'a.json', { ...result, differences } as ExampleResult)], folder);
  const tables = readFileSync(join(folder, 'iris.md'), 'utf8');
  const swept = readFileSync(join(folder, 'iris-swept.md'), 'utf8');
  const grids = readFileSync(join(folder, 'iris-zeta.md'), 'utf8');
  for (const { system, parameters, more } of result.runs.map((run) => ({ ...run, more: measuresOf(run) }))) {
    for (const [measure, text] of [
      ['discovery_rate', tables],
      ['composite', tables],
      ['swept_composite', swept],
    ] as const) {
      if (system === 'spread+grid' && (parameters.zeta !== 1 || parameters.segments !== 10)) continue;
      t.ok(text.includes(`${more[measure]?.mean.toFixed(3)} ± 0.008`), `${measure} of ${system}`);
    }
    if (system === 'spread+grid' && parameters.seeds === 5) {
      t.ok(grids.includes(`${more.labelling_efficiency?.mean.toFixed(3)} ± 0.008`));
    }
  }
  t.match(swept, '| SpreadS + RandS − SpreadS, a = 50, after the sweep − before | 0.120 ± 0.010, p < .001 |');
});

t.test('a mark stands where its numbers say', async (t) => {
  const folder = temporaryFolder(t);
  const result = exampleResult('yfcc100m');
  await drawFigures([write(folder, 'a.json', result)], folder);
  const svg = readFileSync(join(folder, 'fig4.svg'), 'utf8');
  const marks = [
    ...svg.matchAll(
      /<path aria-label="([^"]*)" role="graphics-symbol"[^>]* transform="translate\(([0-9.]+),([0-9.]+)\)"/g,
    ),
  ];
  const drawn = marks.flatMap(([, label = '', x, y]) => {
    const segments = /series: Exquisitor, S_c = (\d+)/.exec(label)?.[1];
    return segments === undefined ? [] : [{ segments: Number(segments), x: Number(x), y: Number(y) }];
  });
  const runs = result.runs.filter(({ system }) => system === 'exquisitor');
  t.equal(drawn.length, runs.length);
  // The axis of b has 9 doublings over 620 units; precision 0 lies at the bottom, 340.
  const [width, height] = [620, 340];
  const unit = (height - (drawn[0]?.y ?? 0)) / (runs[0]?.precision ?? 0);
  for (const { parameters, precision } of runs) {
    const { segments = 0, clusters = 0 } = parameters;
    const at = { x: (width * Math.log2(clusters)) / 9, y: height - unit * precision };
    const near = drawn.filter((mark) => mark.segments === segments && Math.hypot(mark.x - at.x, mark.y - at.y) < 0.01);
    t.equal(near.length, 1, `S_c = ${segments}, b = ${clusters}`);
  }
  t.ok(unit > height && unit < height / 0.2, 'the axis of precision ends between 0.2 and 1');
});

t.test('the same results give the same bytes', async (t) => {
  const folder = temporaryFolder(t);
  const file = write(folder, 'a.json', exampleResult('yfcc100m'));
  const contents: string[][] = [];
  for (const name of ['one', 'two']) {
    const out = join(folder, name, 'out');
    const { written } = await drawFigures([file], out);
    contents.push(written.map((entry) => readFileSync(join(out, entry), 'hex')));
  }
  t.equal(contents[0]?.length, 7, 'three figures in two forms, and the list');
  t.strictSame(contents[0], contents[1]);
});

t.test('results of another collection get pictures of their own', async (t) => {
  const folder = temporaryFolder(t);
  const small = write(folder, 'a.json', exampleResult('yfcc100m', { collection: 'yfcc-1m', items: 1_000_000 }));
  const large = write(folder, 'b.json', exampleResult('yfcc100m', { collection: 'yfcc-10m', items: 10_000_000 }));
  const { written } = await drawFigures([small, large], join(folder, 'out'));
  const found = written.filter((name) => name.startsWith('fig4') && name.endsWith('.svg'));
  t.strictSame(found, ['fig4-yfcc-1m-1000000-process.svg', 'fig4-yfcc-10m-10000000-process.svg']);
});

t.test('a figure whose runs are absent is named with the reason, and drawing nothing is an error', async (t) => {
  const folder = temporaryFolder(t);
  const result = exampleResult('yfcc100m');
  const others = { ...result, runs: result.runs.filter(({ system }) => system === 'blackthorn') };
  const { written, missing } = await drawFigures([write(folder, 'a.json', others)], folder);
  t.strictSame(written, ['fig6.svg', 'fig6.png', 'index.md']);
  t.strictSame(missing, [
    'fig4: no run of exquisitor says its clusters',
    'fig5: no run of exquisitor says its clusters',
  ]);
  t.ok(readFileSync(join(folder, 'index.md'), 'utf8').includes(`- ${missing[0]}`));
  const lsc = exampleResult('lsc');
  const unfound = { ...lsc, runs: lsc.runs.map((run) => ({ ...run, found: undefined })) };
  await t.rejects(drawFigures([write(folder, 'b.json', unfound)], folder), {
    message: /b\.json: nothing to draw \(found: no run says found@n\)/,
  });
});

t.test('results that are not right are refused by file and field', async (t) => {
  const folder = temporaryFolder(t);
  const result = exampleResult('yfcc100m');
  const [run] = result.runs as [ExampleResult['runs'][number]];
  const withRun = (changed: object): object => ({ ...result, runs: [{ ...run, ...changed }] });
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['kind', { ...result, kind: 'other' }, /\/kind .*, but is "other"/],
    ['version', { ...result, version: 2 }, /\/version .*, but is 2/],
    ['protocol', { ...result, protocol: 'mine' }, /\/protocol .*, but is "mine"/],
    ['runs', { ...result, runs: [] }, /\/runs .*, but is \[\]/],
    ['precision', withRun({ precision: 1.5 }), /\/runs\/0\/precision .*, but is 1\.5/],
    ['rounds', withRun({ rounds: undefined }), /\/runs\/0 must have required properties rounds/],
    ['latency', withRun({ latency_ms: { ...run.latency_ms, p95: 0 } }), /\/runs\/0\/latency_ms\/p95 .*, but is 0/],
    ['system', withRun({ system: 'blackhorn' }), /unknown system "blackhorn"; known are exquisitor, blackthorn, /],
    ['twice', { ...result, runs: [run, run] }, /two yfcc100m runs of exquisitor .*clusters=1 .*leave one of them out/],
  ];
  for (const [name, value, message] of cases) {
    const file = write(folder, `${name}.json`, value);
    await t.rejects(drawFigures([file], join(folder, 'out')), { message }, name);
    await t.rejects(drawFigures([file], join(folder, 'out')), { message: new RegExp(`/${name}\\.json`) }, name);
  }
  writeFileSync(join(folder, 'half.json'), JSON.stringify(result).slice(0, 1000));
  await t.rejects(drawFigures([join(folder, 'half.json')], folder), { message: /half\.json: not valid JSON/ });
  await t.rejects(drawFigures([join(folder, 'none.json')], folder), { message: /none\.json/ });
  t.notOk(readdirSync(folder).includes('out'), 'nothing was written');
});

t.test('bad usage ends with 2, a failure with 1, each with one line that says what is wrong', async (t) => {
  const unnamed = figures('a.json');
  t.equal(unnamed.status, 2);
  t.equal(unnamed.stderr, 'figures: --out DIR is missing: the folder for the pictures\n');
  const absent = figures('absent.json', '--out', 'nowhere');
  t.equal(absent.status, 1);
  t.match(absent.stderr, /^figures: .*absent\.json'\n$/);
});

function figures(...words: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [COMMAND, ...words], { encoding: 'utf8' });
}

function write(folder: string, name: string, value: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(value));
  return file;
}

/** Every element closes, in order, and the texts are there. */
function checkSvg(t: Test, name: string, svg: string, texts: readonly string[]): void {
  const open: string[] = [];
  const tags = [...svg.matchAll(/<(\/?)([a-zA-Z]+)((?:\s[\w:-]+="[^"<]*")*)\s*(\/?)>/g)];
  for (const [, closes, tag = '', , empty] of tags) {
    if (closes === '/') {
      if (open.pop() !== tag) t.fail(`${name}: </${tag}> closes nothing`);
    } else if (empty !== '/') open.push(tag);
  }
  t.strictSame(open, [], `${name}: every element closes`);
  t.equal(tags.length, svg.split('<').length - 1, `${name}: every < begins an element`);
  const shown = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  for (const text of texts) t.ok(shown.includes(text.replaceAll('<', '&lt;')), `${name} shows ${text}`);
}

/** Twice the size of the SVG, on white, with colours and dark text on it. */
function checkPng(t: Test, name: string, bytes: Buffer, svg: string): void {
  const { width, height, data } = PNG.sync.read(bytes);
  const [, svgWidth, svgHeight] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
  t.strictSame([width, height], [2 * Number(svgWidth), 2 * Number(svgHeight)], `${name} has the size of its SVG`);
  let white = 0;
  let dark = 0;
  for (let at = 0; at < data.length; at += 4) {
    const sum = (data[at] as number) + (data[at + 1] as number) + (data[at + 2] as number);
    if (data[at + 3] !== 255) t.fail(`${name} is transparent somewhere`);
    if (sum === 765) white++;
    if (sum < 150) dark++;
  }
  const share = data.length / 4;
  t.ok(white > 0.4 * share && white < 0.999 * share, `${name} is drawn on white`);
  // The title alone covers more: without fonts there would be next to nothing.
  t.ok(dark > 500, `${name} has text: ${dark} dark pixels`);
}

function measuresOf(run: object): Readonly<Record<string, { readonly mean: number }>> {
  return (run as { measures?: Record<string, { mean: number }> }).measures ?? {};
}
