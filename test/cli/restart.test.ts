import { describe, expect, it } from 'vitest';
import { type Restartable, restartWithHugePages } from '../../src/cli/restart.ts';

const onDemand = { platform: 'linux', setting: 'always [madvise] never' } as const;

function program(changes: Partial<Restartable> = {}) {
  const restarts: unknown[][] = [];
  return {
    execPath: '/usr/bin/node',
    argv0: 'node',
    execArgv: ['--max-old-space-size=512'],
    argv: ['/usr/bin/node', '/opt/serve-model.js', 'model.gguf', '--port', '0'],
    env: { HOME: '/root' },
    ...changes,
    restarts,
    execve: (...call: unknown[]) => void restarts.push(call),
  };
}

describe('a start that asks for huge pages', () => {
  it('begins again with the same words and one more variable', () => {
    const begun = program();
    restartWithHugePages(begun, onDemand);
    expect(begun.restarts).toEqual([
      [
        '/usr/bin/node',
        ['node', '--max-old-space-size=512', '/opt/serve-model.js', 'model.gguf', '--port', '0'],
        { HOME: '/root', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' },
      ],
    ]);
  });

  it('goes on as it is where the parent talks to it, where nothing is to be gained, and on an older Node.js', () => {
    const connected = program({ connected: true });
    restartWithHugePages(connected, onDemand);
    const again = program({ env: { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' } });
    restartWithHugePages(again, onDemand);
    const { execve: _, ...older } = program();
    restartWithHugePages(older, onDemand);
    expect([connected, again, older].flatMap(({ restarts }) => restarts)).toEqual([]);
  });
});
