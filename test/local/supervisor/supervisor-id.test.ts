import { chmod, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeSocketFolder, hashSupervisorId } from '../../../local/supervisor/supervisor-id.ts';

describe('makeSocketFolder()', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'davit-place-'));
    vi.stubEnv('XDG_RUNTIME_DIR', undefined);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });

  it('makes a folder that only this user can open, and finds it again', async () => {
    vi.stubEnv('TMPDIR', folder);
    const made = makeSocketFolder();
    expect(made).toBe(join(folder, `davit-${process.getuid!()}`));
    expect((await stat(made)).mode & 0o777).toBe(0o700);
    expect(makeSocketFolder()).toBe(made);
  });

  it("prefers the session's folder if it exists, is private, and its path is short enough", async () => {
    const [session, temporary] = ['session', 'temporary'].map((name) => join(folder, name));
    await mkdir(session!, { mode: 0o700 });
    await mkdir(temporary!);
    vi.stubEnv('TMPDIR', temporary);
    const made = (value: string) => {
      vi.stubEnv('XDG_RUNTIME_DIR', value);
      return makeSocketFolder();
    };
    const fallback = join(temporary!, `davit-${process.getuid!()}`);
    expect(made(session!)).toBe(join(session!, 'davit'));
    expect(made(join(folder, 'gone'))).toBe(fallback);
    expect(made('relative')).toBe(fallback);
    await chmod(session!, 0o755);
    expect(made(session!)).toBe(fallback);
    const long = join(folder, 'x'.repeat(60));
    await mkdir(long, { mode: 0o700 });
    expect(made(long)).toBe(fallback);
  });

  it('refuses a folder that others can open', async () => {
    vi.stubEnv('TMPDIR', folder);
    await chmod(makeSocketFolder(), 0o755);
    expect(makeSocketFolder).toThrow('nobody else can open');
  });

  it('uses /tmp if the path would be too long for a socket', () => {
    vi.stubEnv('TMPDIR', join(folder, 'x'.repeat(60)));
    expect(makeSocketFolder()).toBe(`/tmp/davit-${process.getuid!()}`);
  });

  it('hashSupervisorId() is the same for every path that leads to the project', async () => {
    const link = `${folder}-link`;
    await symlink(folder, link);
    const hashes = [folder, link].map((root) => hashSupervisorId({ root, environment: 'local' }));
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashSupervisorId({ root: folder, environment: 'staging' })).not.toBe(hashes[0]);
    await rm(link);
  });
});
