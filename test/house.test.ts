// The house rules, checked: what the linter forbids is shown to fail, and what no linter sees is measured here.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));
const biome = join(root, 'node_modules/.bin/biome');

/** Lines per file. About 200 of TypeScript and 400 of C++ is the aim; at these a file holds more than one idea. */
const MAX_TYPESCRIPT_LINES = 400;
const MAX_CPP_LINES = 600;

/** One line of a file that breaks a rule, or null for a line that must pass. */
type Line = readonly [source: string, rule: string | null];

const imports = 'style/noRestrictedImports';

/** A small tree that breaks every rule once, beside imports that are allowed in the same place. */
const violations: Readonly<Record<string, readonly Line[]>> = {
  'src/cli.ts': [
    ["import './commands/serve.ts';", null],
    ["import 'node:fs';", imports],
    ["import './app.ts';", imports],
    ["import 'fastify';", imports],
    ["import '../bench/round.bench.ts';", imports],
    ["import '../test/support.ts';", imports],
  ],
  'src/commands/build.ts': [
    ["import './command.ts';", null],
    ["import 'node:fs';", null],
    ["import '../../index-builder/main.ts';", null],
    ["import '../server.ts';", null],
    ["import './serve.ts';", imports],
    ["import '../cli.ts';", imports],
    ["import '../routes/items.ts';", imports],
    ["import '../../bench/actors/run.ts';", imports],
    ["await import('../../bench/actors/run.ts');", imports],
  ],
  // The two exceptions to 'nothing imports bench'.
  'src/commands/simulate.ts': [
    ["import './command.ts';", null],
    ["import '../../bench/actors/run.ts';", null],
    ["import '../../bench/baselines/registry.ts';", null],
    ["await import('../../bench/actors/run.ts');", null],
    ["import '../../bench/measure.ts';", imports],
    ["import '../../bench/datasets/collections.ts';", imports],
    ["import '../../test/support.ts';", imports],
    ["import './suggest.ts';", imports],
    ["import '../server.ts';", imports],
  ],
  'src/commands/tune.ts': [
    ["await import('../../bench/tuning/tune.ts');", null],
    ["import '../../bench/figures.ts';", imports],
    ["import './simulate.ts';", imports],
  ],
  'src/server.ts': [
    ["import './app.ts';", null],
    ["import 'pino';", null],
    ["import './routes/items.ts';", imports],
    ["import './worker.ts';", imports],
    ["import './cli.ts';", imports],
    ["import './commands/serve.ts';", imports],
    ["import 'node:fs';", imports],
  ],
  'src/config.ts': [
    ["import './errors.ts';", null],
    ["import 'node:fs';", null],
    ["import './engine.ts';", imports],
  ],
  'src/errors.ts': [["import './config.ts';", imports]],
  'src/msgpack.ts': [
    ["import 'fastify';", null],
    ["import './errors.ts';", null],
    ["import './engine.ts';", imports],
  ],
  'src/app.ts': [
    ["import 'fastify';", null],
    ["import './engine.ts';", null],
    ["import './server.ts';", imports],
    ["import 'piscina';", imports],
    ["import 'node:fs';", imports],
    ["import 'node:fs/promises';", imports],
    ["import '#addon';", imports],
  ],
  'src/routes/items.ts': [
    ["import 'fastify';", null],
    ["import './route.ts';", null],
    ["import '../engine.ts';", null],
    ["import './suggest.ts';", imports],
    ["import '../app.ts';", imports],
    ["import '../worker.ts';", imports],
  ],
  'src/sessions/file.ts': [
    ["import 'node:fs';", null],
    ["import './store.ts';", null],
    ["import '../lock.ts';", null],
    ["import './sqlite.ts';", imports],
    ["import '../routes/sessions.ts';", imports],
    ["import '../engine.ts';", imports],
    ["import 'fastify';", imports],
  ],
  'src/sessions/sessions.ts': [
    ["import './state.ts';", null],
    ["import '../errors.ts';", null],
    ["import './file.ts';", imports],
    ["import 'node:fs';", imports],
  ],
  'src/jobs/jobs.ts': [
    ["import './job-directory.ts';", null],
    ["import '../sessions/store.ts';", imports],
    ["import '../routes/jobs.ts';", imports],
    ["import 'piscina';", imports],
  ],
  'src/routes/results.ts': [
    ["import 'node:fs';", null],
    ["import './route.ts';", null],
    ["import './jobs.ts';", imports],
  ],
  'src/lock.ts': [
    ["import 'node:fs';", null],
    ["import './errors.ts';", imports],
  ],
  'src/scan-sweep.ts': [
    ["import './fused-scan.ts';", null],
    ["import './round.ts';", imports],
    ['export const now = Date.now();', 'style/noRestrictedGlobals'],
  ],
  'src/audit.ts': [["import './scan-sweep.ts';", imports]],
  'src/engine.ts': [
    ["import 'piscina';", null],
    ["import './worker.ts';", null],
    ["import './app.ts';", imports],
    ["import './routes/items.ts';", imports],
    ["import 'pino';", imports],
  ],
  'src/warm-up.ts': [
    ["import './warm-up-thread.ts';", null],
    ["import './app.ts';", imports],
  ],
  'src/warm-up-thread.ts': [
    ["import './index/open.ts';", null],
    ["import './engine.ts';", imports],
  ],
  'src/worker.ts': [
    ["import 'piscina';", null],
    ["import './round.ts';", null],
    ["import './engine.ts';", imports],
    ["import 'fastify';", imports],
  ],
  'src/round.ts': [
    ["import './models/linear-svm.ts';", null],
    ["import './index/open.ts';", null],
    ["import type { Worker } from './worker.ts';", imports],
    ["import 'node:fs';", imports],
    ["import 'typebox';", imports],
    ['export const now = Date.now();', 'style/noRestrictedGlobals'],
    ["console.log('a line of log');", 'style/noRestrictedGlobals'],
    ['export const started = process.hrtime();', 'style/noRestrictedGlobals'],
  ],
  'src/head.ts': [
    ["import './models/model.ts';", null],
    ["import './candidates.ts';", imports],
  ],
  'src/candidates.ts': [
    ["import './index/open.ts';", null],
    ["import './round.ts';", imports],
    ["import './head.ts';", null],
    ["import './models/rocchio.ts';", imports],
  ],
  'src/heads.ts': [
    ["import './models/rocchio.ts';", null],
    ["import './survey.ts';", imports],
  ],
  'src/farthest-search.ts': [
    ["import './candidates.ts';", null],
    ["import './round.ts';", imports],
  ],
  'src/mix.ts': [
    ["import './samplers/sampler.ts';", null],
    ["import './samplers/grid.ts';", imports],
    ['export const now = Date.now();', 'style/noRestrictedGlobals'],
  ],
  'src/survey.ts': [
    ["import './grid-cells.ts';", null],
    ["import './samplers/random.ts';", imports],
  ],
  'src/filter.ts': [
    ["import './index/open.ts';", null],
    ["import './candidates.ts';", imports],
    ['export const now = Date.now();', 'style/noRestrictedGlobals'],
  ],
  'src/grid-cells.ts': [
    ["import './index/open.ts';", null],
    ["import './survey.ts';", imports],
  ],
  'src/sweep.ts': [
    ["import './heads.ts';", null],
    ["import './round.ts';", imports],
  ],
  'src/label-sets.ts': [
    ["import './index/open.ts';", null],
    ["import './heads.ts';", imports],
  ],
  'src/recall.ts': [
    ["import './candidates.ts';", null],
    ["import './label-sets.ts';", null],
    ["import './round.ts';", imports],
    ['export const now = Date.now();', 'style/noRestrictedGlobals'],
  ],
  'src/quality.ts': [
    ["import './recall.ts';", null],
    ["import './engine.ts';", imports],
    ["import 'node:fs';", imports],
  ],
  'src/models/rocchio.ts': [
    ["import './model.ts';", null],
    ["import './linear-svm.ts';", imports],
    ["import '../round.ts';", imports],
  ],
  'src/samplers/grid.ts': [
    ["import './sampler.ts';", null],
    ["import '../moments.ts';", null],
    ["import './farthest.ts';", imports],
    ["import '../survey.ts';", imports],
  ],
  'src/fusion.ts': [
    ["import './native.ts';", null],
    ["import './round.ts';", imports],
    ["import './index/open.ts';", imports],
  ],
  'src/index/open.ts': [
    ["import 'node:fs';", null],
    ["import '../codecs/registry.ts';", null],
    ["import '../round.ts';", imports],
    ["import '../models/model.ts';", imports],
    ["import '#addon';", imports],
  ],
  'src/codecs/sq8.ts': [
    ["import './codec.ts';", null],
    ["import '../native.ts';", null],
    ["import './ratio.ts';", imports],
    ["import '../index/open.ts';", imports],
    ["import 'node:fs';", imports],
  ],
  'src/codecs/registry.ts': [
    ["import './sq8.ts';", null],
    ["import '../native.ts';", imports],
  ],
  'src/native.ts': [
    ["import 'node:module';", null],
    ["import '#addon';", null],
    ["import './native-types.ts';", null],
    ["import './random.ts';", imports],
  ],
  'index-builder/stages/assign.ts': [
    ["import '../../src/index/format.ts';", null],
    ["import '../../src/codecs/registry.ts';", null],
    ["import '../../src/native.ts';", null],
    ["import './hnsw.ts';", null],
    ["import 'node:fs';", null],
    ["import '../../src/engine.ts';", imports],
    ["import '../../src/routes/items.ts';", imports],
    ["import 'hnswlib-node';", imports],
    ["import 'piscina';", imports],
    ["import '#addon';", imports],
    ["import '../../src/quality.ts';", imports],
  ],
  // The one stage that searches what was built.
  'index-builder/stages/quality.ts': [
    ["import '../../src/quality.ts';", null],
    ["import '../../src/index/open.ts';", null],
    ["import '../../src/recall.ts';", imports],
    ["import '../../src/round.ts';", imports],
  ],
  'index-builder/stages/hnsw.ts': [
    ["import 'hnswlib-node';", null],
    ["import '../../src/app.ts';", imports],
  ],
  'index-builder/readers/dense.ts': [
    ["import '../../src/codecs/codec.ts';", null],
    ["import '../../src/codecs/ratio.ts';", imports],
    ["import './reader.ts';", null],
    ["import './arrays/open-array.ts';", null],
    ["import './arrays/npy.ts';", imports],
    ["import './r64.ts';", imports],
    ["import '../main.ts';", imports],
    ["import '../../src/index/format.ts';", imports],
    ["import 'hyparquet';", imports],
  ],
  'index-builder/readers/open-reader.ts': [["import './r64.ts';", null]],
  'index-builder/readers/parquet-page.ts': [
    ["import 'hyparquet/src/plain.js';", null],
    ["import 'apache-arrow';", imports],
  ],
  'index-builder/readers/arrays/parquet.ts': [
    ["import './array.ts';", null],
    ["await import('../parquet-vectors.ts');", null],
    ["import './npy.ts';", imports],
    ["import '../open-reader.ts';", imports],
    ["import 'hyparquet';", imports],
  ],
  'index-builder/readers/arrays/npz.ts': [
    ["import 'yauzl';", null],
    ["import 'h5wasm/node';", imports],
  ],
  'index-builder/readers/arrays/open-array.ts': [["import './npy.ts';", null]],
  'index-builder/readers/tables/parquet.ts': [
    ["import './table.ts';", null],
    ["import './delimited.ts';", imports],
    ["import 'apache-arrow';", imports],
  ],
  'index-builder/readers/tables/open-table.ts': [["import './delimited.ts';", null]],
  'index-builder/generate/yfcc.ts': [
    ["import './block.ts';", null],
    ["import '../../src/random.ts';", null],
    ["import 'node:fs';", null],
    ["import '../stages/disk.ts';", null],
    ["import '../stages/workspace.ts';", imports],
    ["import '../readers/r64.ts';", imports],
    ["import '../../src/index/format.ts';", imports],
    ["import 'piscina';", imports],
  ],
  'index-builder/embed/embed.ts': [
    ["import './listing.ts';", null],
    ["import '../readers/npy-array.ts';", null],
    ["import '../stages/aside.ts';", null],
    ["import '../stages/workspace.ts';", imports],
    ["import '../generate/yfcc.ts';", imports],
    ["import '../../src/index/format.ts';", imports],
  ],
  'index-builder/topics/topics.ts': [
    ["import './model.ts';", null],
    ["import '../../src/native.ts';", null],
    ["import '../../src/random.ts';", null],
    ["import '../readers/tables/open-table.ts';", null],
    ["import '../readers/r64.ts';", imports],
    ["import '../stages/workspace.ts';", imports],
    ["import '../embed/embed.ts';", imports],
    ["import '../../src/codecs/ratio.ts';", imports],
    ["import '#addon';", imports],
  ],
  'test/round.test.ts': [
    ["import '../src/round.ts';", null],
    ["import '#addon';", imports],
  ],
  // Rules that hold everywhere.
  'src/jobs.ts': [
    ["import 'fs';", 'style/useNodejsImportProtocol'],
    ["import './errors.js';", 'correctness/useImportExtensions'],
    ["import { Config } from './config.ts';", 'style/useImportType'],
    ["export * from './errors.ts';", 'performance/noReExportAll'],
    ['export function loose(value: any): Config {', 'suspicious/noExplicitAny'],
    ['  return value;', null],
    ['}', null],
    ['enum Colour { Red }', 'style/noEnum'],
    ['namespace Inner {}', 'style/noNamespace'],
    ['export class Owner { constructor(private readonly part: Colour) {} }', 'style/noParameterProperties'],
    ['export default loose;', 'style/noDefaultExport'],
  ],
  'src/barrel.ts': [["export { Config } from './config.ts';", 'performance/noBarrelFile']],
  'src/BadName.ts': [['export const named = 1;', 'style/useFilenamingConvention']],
  'src/jobs/first.ts': [
    ["import { second } from './second.ts';", 'suspicious/noImportCycles'],
    ['export const first = () => second;', null],
  ],
  'src/jobs/second.ts': [
    ["import { first } from './first.ts';", 'suspicious/noImportCycles'],
    ['export const second = () => first;', null],
  ],
};

t.test('every rule of the layering and of the language fires, and only where it should', async (t) => {
  const tree = lintedTree(t);
  for (const [path, lines] of Object.entries(violations)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), lines.map(([source]) => `${source}\n`).join(''));
  }
  const { status, found } = lint(tree);
  t.equal(status, 1, 'the linter fails');
  for (const [path, lines] of Object.entries(violations)) {
    for (const [index, [source, rule]] of lines.entries()) {
      const rules = found.get(`${path}:${index + 1}`) ?? [];
      if (rule === null) t.notOk(rules.includes(imports), `${path} may hold: ${source}`);
      else if (rule === 'style/useFilenamingConvention') t.ok(found.get(path)?.includes(rule), `${path} is refused`);
      else t.ok(rules.includes(rule), `${path} is refused: ${source}`);
    }
  }
});

t.test('the formatter refuses another style', async (t) => {
  const tree = lintedTree(t);
  writeFileSync(join(tree, 'a.ts'), 'export const a = "x"\n');
  t.equal(spawnSync(biome, ['format', '.'], { cwd: tree }).status, 1);
  writeFileSync(join(tree, 'a.ts'), "export const a = 'x';\n");
  t.equal(spawnSync(biome, ['format', 'a.ts'], { cwd: tree }).status, 0);
});

t.test('a file stays short enough to read', async (t) => {
  for (const path of filesIn(['src', 'index-builder'], '.ts')) {
    t.ok(lineCount(path) <= MAX_TYPESCRIPT_LINES, `${path} has at most ${MAX_TYPESCRIPT_LINES} lines`);
  }
  for (const path of filesIn(['native/src'], '.cc', '.h')) {
    t.ok(lineCount(path) <= MAX_CPP_LINES, `${path} has at most ${MAX_CPP_LINES} lines`);
  }
});

t.test('a file says in its first line what it is, or a native one includes the header that says it', async (t) => {
  const paths = [...filesIn(['src', 'index-builder', 'bench', 'test'], '.ts'), ...filesIn(['native/src'], '.cc', '.h')];
  for (const path of paths) {
    const header = path.endsWith('.cc') ? `#include "${basename(path, '.cc')}.h"` : '//';
    const [first = ''] = read(path).split('\n', 1);
    t.ok(/^\/[/*]/.test(first) || first.startsWith(header), path);
  }
});

t.test('Node headers enter the native code in one file of the binding only', async (t) => {
  const including = filesIn(['native'], '.cc', '.h').filter((path) =>
    /#include\s*[<"](napi|node|v8|uv)/.test(read(path)),
  );
  t.strictSame(including, ['native/src/binding/arguments.h']);
});

t.test(
  'hnswlib-node, sharp and onnxruntime-node enter in one file each, the last two only when they are used',
  async (t) => {
    for (const name of ['hnswlib-node', 'sharp', 'onnxruntime-node']) {
      const importing = filesIn(['src', 'index-builder'], '.ts').filter((path) =>
        new RegExp(`(from |import\\()'${name}'`).test(read(path)),
      );
      t.equal(importing.length, 1, importing.join(', '));
      if (name !== 'hnswlib-node')
        t.notMatch(read(importing[0] as string), new RegExp(`^import (?!type ).*'${name}'`, 'm'));
    }
  },
);

t.test('randomness comes from a seed only', async (t) => {
  for (const path of filesIn(['src', 'index-builder'], '.ts')) t.notOk(read(path).includes('Math.random'), path);
  for (const path of filesIn(['native/src'], '.cc', '.h')) t.notOk(/\brand\(|random_device/.test(read(path)), path);
});

t.test('package.json and its lockfile agree', async (t) => {
  const own = packageLock.packages[''] ?? {};
  t.equal(packageLock.name, packageJson.name);
  t.equal(packageLock.version, packageJson.version);
  for (const field of [
    'name',
    'version',
    'license',
    'engines',
    'bin',
    'dependencies',
    'devDependencies',
    'peerDependencies',
  ]) {
    t.strictSame(own[field], packageJson[field], field);
  }
});

t.test('the lockfile can be installed on any machine', async (t) => {
  for (const [path, entry] of Object.entries(packageLock.packages)) {
    if (path === '') continue;
    t.match(path, /^node_modules\//, `${path} is a package`);
    t.notOk(entry['resolved'], `${path} names no registry`);
    t.match(entry['integrity'], /^sha512-/, `${path} has a hash`);
    // npm ci refuses a lockfile in which the packages of some platform are missing.
    for (const name of Object.keys(entry['optionalDependencies'] ?? {})) {
      t.ok(lockedFor(path, name), `${path} has its optional ${name}`);
    }
  }
});

t.test('packages that run a script when they are installed are named, and none of them downloads', async (t) => {
  const scripted = Object.entries(packageLock.packages).filter(([, entry]) => entry['hasInstallScript'] === true);
  // npm runs the scripts of those alone: onnxruntime-node's would fetch CUDA libraries. Take its line out of the lockfile
  // again when npm wrote it anew.
  t.strictSame(
    scripted.map(([path]) => path.replace(/^node_modules\//, '')),
    Object.entries(packageJson['allowScripts'] ?? {}).flatMap(([name, runs]) => (runs ? [name] : [])),
  );
});

t.test('no tracked file of the tools names a path of one machine', async (t) => {
  const tools = ['package.json', 'package-lock.json', 'tsconfig.json', 'biome.json', '.npmrc', 'native/binding.gyp'];
  for (const path of [...tools, 'Dockerfile', '.ci/run', 'native/test/Makefile']) {
    t.notOk(/(^|["'\s=:])(\/work\/|\/home\/|\/root\/|\/Users\/|file:)/m.test(read(path)), path);
  }
});

t.test('a file of types alone is nothing to run', async (t) => {
  // Loaded here because nothing else ever does, and a file that was never loaded counts as uncovered.
  const typesAlone = filesIn(['dist/index-builder', 'dist/src'], '.js').filter(
    (path) =>
      read(path)
        .replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
        .trim() === 'export {};',
  );
  t.ok(typesAlone.length > 0);
  for (const path of typesAlone) t.strictSame(Object.keys(await import(join(root, path))), [], path);
});

t.test('the output holds nothing whose source is gone', async (t) => {
  const stale = filesIn(['dist/src', 'dist/index-builder', 'dist/bench', 'dist/test'], '.js').filter(
    (path) => !existsSync(join(root, path.replace(/^dist\//, '').replace(/\.js$/, '.ts'))),
  );
  t.strictSame(stale, [], 'npm run clean && npm run build');
});

/** Fields of a package, as npm writes them. */
type Package = Readonly<Record<string, unknown>> & {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly integrity?: string;
};

const packageJson: Package = JSON.parse(read('package.json'));
const packageLock: { name: string; version: string; packages: Record<string, Package> } = JSON.parse(
  read('package-lock.json'),
);

/** Whether the lockfile holds `name` where the package at `path` would look for it: there, or in a folder above. */
function lockedFor(path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    if (packageLock.packages[from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`]) return true;
    if (from === '') return false;
  }
}

/** An empty tree with the linter's configuration, outside the project so that no ignore rule of it applies. */
function lintedTree(t: Test): string {
  const tree = mkdtempSync(join(tmpdir(), 'farsight-house-'));
  t.teardown(() => rmSync(tree, { recursive: true }));
  cpSync(join(root, 'biome.json'), join(tree, 'biome.json'));
  return tree;
}

/** Lints a tree: the exit status, and the rules found by `path:line` and by `path`. */
function lint(tree: string): { status: number | null; found: Map<string, string[]> } {
  const { status, stdout } = spawnSync(biome, ['lint', '--reporter=github', '--max-diagnostics=none', '.'], {
    cwd: tree,
    encoding: 'utf8',
  });
  const found = new Map<string, string[]>();
  for (const [, rule = '', file = '', line] of stdout.matchAll(/title=lint\/([^,]+),file=([^,]+),line=(\d+)/g)) {
    const path = file.slice(file.indexOf(tree) + tree.length + 1);
    for (const key of [path, `${path}:${line}`]) found.set(key, [...(found.get(key) ?? []), rule]);
  }
  return { status, found };
}

/** Files under the folders whose name ends so, as paths from the root. */
function filesIn(folders: readonly string[], ...endings: readonly string[]): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => !path.startsWith('build/') && endings.some((ending) => path.endsWith(ending)))
        .map((path) => `${folder}/${path}`),
    )
    .sort();
}

function lineCount(path: string): number {
  return read(path).split('\n').length - 1;
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
