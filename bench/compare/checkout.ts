// Two revisions in git worktrees of their own, built and ready to run.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './process.ts';

export interface Checkout {
  readonly revision: string;
  readonly commit: string;
  readonly folder: string;
}

/** Packages that are installed already, by the lockfile that names them. */
export interface Installed {
  readonly lockfile: string;
  readonly packages: string;
}

/** The commit that a revision names. */
export function commitOf(root: string, revision: string): string {
  try {
    return git(root, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`);
  } catch {
    throw new Error(`${revision}: no such revision in ${root}; name a commit, a branch or a tag`);
  }
}

/** Checks a commit out and builds it, with packages that are installed where the lockfiles are equal. */
export async function build(
  root: string,
  { revision, commit, folder }: Checkout,
  installed: Installed[],
  signal: AbortSignal,
): Promise<void> {
  git(root, 'worktree', 'add', '--detach', folder, commit);
  const lockfile = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const known = installed.find((other) => other.lockfile === lockfile);
  const packages = join(folder, 'node_modules');
  if (known !== undefined) {
    symlinkSync(known.packages, packages);
  } else {
    process.stderr.write(`${revision}: its package-lock.json is not the one installed here: npm ci\n`);
    await run(['npm', 'ci', '--no-audit', '--no-fund'], { cwd: folder, signal });
    installed.push({ lockfile, packages });
  }
  await run(['npm', 'run', 'build'], { cwd: folder, signal });
}

/** What is installed in the repository itself. */
export function installedIn(root: string): Installed[] {
  const [lockfile, packages] = [join(root, 'package-lock.json'), join(root, 'node_modules')];
  return existsSync(lockfile) && existsSync(packages) ? [{ lockfile: readFileSync(lockfile, 'utf8'), packages }] : [];
}

/** Leaves nothing: neither files nor git's note of a worktree. */
export function remove(root: string, folders: readonly string[]): void {
  // The folder goes first: removing through git would walk a half-made one and stop.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  git(root, 'worktree', 'prune');
}

export function rootOf(folder: string): string {
  try {
    return git(folder, 'rev-parse', '--show-toplevel');
  } catch {
    throw new Error(`${folder}: not in a git repository; run this in a checkout of the revisions`);
  }
}

function git(cwd: string, ...words: readonly string[]): string {
  return execFileSync('git', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
