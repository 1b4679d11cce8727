// The house rules, checked: what the linter forbids is shown to fail, and what no linter sees is measured here.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { filesIn, lineCount, read, root } from './house/files.ts';
import { imports, violations } from './house/violations.ts';

const biome = join(root, 'node_modules/.bin/biome');

/** Lines per file. About 200 of TypeScript and 400 of C++ is the aim; at these a file holds more than one idea. */
const MAX_TYPESCRIPT_LINES = 400;
const MAX_CPP_LINES = 600;

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
