// Who has a directory: marks of processes that live, that died, and whose number another one was given.

import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isLock, leaveDirectory, takeDirectory } from '../../src/lock.ts';
import { temporaryFolder } from '../support.ts';

const { pid, ppid } = process;
/** Of a process that has ended, and was waited for. */
const dead = spawnSync(process.execPath, ['--version']).pid;

t.test('a directory is taken from whoever is gone, and from nobody who lives', async (t) => {
  const marks: readonly [mark: string, holder: number | null, why: string][] = [
    [`lock-${dead}-123`, null, 'it has ended'],
    [`lock-${pid}-1`, null, 'an earlier process had this number'],
    [`lock-${ppid}-1`, null, 'an earlier process had the number of one that lives'],
    [`lock-${ppid}-0`, ppid, 'it lives, and when it began is not known'],
  ];
  for (const [mark, holder, why] of marks) {
    const directory = temporaryFolder(t);
    writeFileSync(join(directory, mark), '');
    writeFileSync(join(directory, 'kept.json'), '{}');
    t.equal(takeDirectory(directory), holder, why);
    const left = readdirSync(directory).filter(isLock);
    t.equal(left.length, 1);
    t.equal(left.includes(mark), holder !== null, why);
    leaveDirectory(directory);
    t.strictSame(readdirSync(directory).filter(isLock), holder === null ? [] : [mark]);
    t.ok(readdirSync(directory).includes('kept.json'), 'other files are not looked at');
  }
});

t.test('a directory that is taken may be taken again by its own process', async (t) => {
  const directory = temporaryFolder(t);
  t.equal(takeDirectory(directory), null);
  t.equal(takeDirectory(directory), null);
  t.equal(readdirSync(directory).length, 1);
});
