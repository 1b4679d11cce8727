// What is installed: package.json and its lockfile agree, on any machine, and nothing is downloaded by a script.

import t from 'tap';
import { read } from './house/files.ts';

/** Fields of a package, as npm writes them. */
type Package = Readonly<Record<string, unknown>> & {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly integrity?: string;
};

const packageJson: Package = JSON.parse(read('package.json'));
const packageLock: { name: string; version: string; packages: Record<string, Package> } = JSON.parse(
  read('package-lock.json'),
);

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

/** Whether the lockfile holds `name` where the package at `path` would look for it: there, or in a folder above. */
function lockedFor(path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    if (packageLock.packages[from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`]) return true;
    if (from === '') return false;
  }
}
