import { describe, expect, it } from 'vitest';
import { mainMemory, mappedBytes, mostOf } from '../../src/models/machine-memory.ts';

const gigabyte = 2 ** 30;
const meminfo = `MemTotal:       ${16 * 2 ** 20} kB\nMemFree:  1 kB\nMemAvailable:   ${10 * 2 ** 20} kB\nCached: 5 kB\n`;

/** A system of these files alone. */
const reading = (files: Readonly<Record<string, string>>) => (path: string) => files[path];

describe('mainMemory', () => {
  it('takes the figures of the kernel', () => {
    expect(mainMemory(reading({ '/proc/meminfo': meminfo }))).toEqual({
      total: 16 * gigabyte,
      available: 10 * gigabyte,
    });
  });

  it('gives positive numbers on any machine', () => {
    const { total, available } = mainMemory();
    expect(total).toBeGreaterThan(available);
    expect(available).toBeGreaterThan(0);
    expect(mainMemory(() => undefined).available).toBeGreaterThan(0);
  });

  it.each<[string, Record<string, string>]>([
    [
      'version 2, at its own place',
      {
        '/proc/self/cgroup': '0::/system.slice/serve.service\n',
        '/sys/fs/cgroup/system.slice/serve.service/memory.max': `${8 * gigabyte}\n`,
        '/sys/fs/cgroup/system.slice/serve.service/memory.current': `${5 * gigabyte}\n`,
        '/sys/fs/cgroup/system.slice/serve.service/memory.stat': `anon 1\nfile ${3 * gigabyte}\nshmem ${gigabyte}\n`,
        '/sys/fs/cgroup/system.slice/memory.max': 'max\n',
        '/sys/fs/cgroup/system.slice/memory.current': `${9 * gigabyte}\n`,
      },
    ],
    [
      'version 2, in a container that sees itself as the root',
      {
        '/proc/self/cgroup': '0::/docker/1234\n',
        '/sys/fs/cgroup/memory.max': `${8 * gigabyte}\n`,
        '/sys/fs/cgroup/memory.current': `${5 * gigabyte}\n`,
        '/sys/fs/cgroup/memory.stat': `file ${3 * gigabyte}\nshmem ${gigabyte}\nfile_mapped 7\n`,
      },
    ],
    [
      'version 1',
      {
        '/proc/self/cgroup': '5:devices:/\n4:memory,hugetlb:/docker/1234\n0::/\n',
        '/sys/fs/cgroup/memory/docker/1234/memory.limit_in_bytes': `${8 * gigabyte}\n`,
        '/sys/fs/cgroup/memory/docker/1234/memory.usage_in_bytes': `${5 * gigabyte}\n`,
        '/sys/fs/cgroup/memory/docker/1234/memory.stat': `cache 1\ntotal_cache ${3 * gigabyte}\ntotal_shmem ${gigabyte}\n`,
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
        '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1\n',
      },
    ],
    [
      'version 2, with the limit further up',
      {
        '/proc/self/cgroup': '0::/a/b\n',
        '/sys/fs/cgroup/a/memory.max': `${8 * gigabyte}\n`,
        '/sys/fs/cgroup/a/memory.current': `${3 * gigabyte}\n`,
        '/sys/fs/cgroup/a/b/memory.max': 'max\n',
        '/sys/fs/cgroup/a/b/memory.current': '1\n',
      },
    ],
  ])('stays within the limit of a control group, whose cached files can go: %s', (_, files) => {
    expect(mainMemory(reading({ '/proc/meminfo': meminfo, ...files }))).toEqual({
      total: 8 * gigabyte,
      available: 5 * gigabyte,
    });
  });

  it('never has less than nothing', () => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': '1000\n',
      '/sys/fs/cgroup/memory.current': '2000\n',
    };
    expect(mainMemory(reading({ '/proc/meminfo': meminfo, ...files }))).toEqual({ total: 1000, available: 0 });
  });
});

describe('mappedBytes', () => {
  it('tells the files that a process has in memory', () => {
    const files = { '/proc/self/status': 'Name: node\nRssAnon:\t 7 kB\nRssFile:\t  1024 kB\n' };
    expect(mappedBytes('self', reading(files))).toBe(1024 * 1024);
    expect(mappedBytes(4711, reading(files))).toBe(0);
  });
});

describe('mostOf', () => {
  it('is the larger memory', () => {
    expect([
      mostOf({ ram: 1, device: undefined }),
      mostOf({ ram: 1, device: 2 }),
      mostOf({ ram: 3, device: 2 }),
    ]).toEqual([1, 2, 3]);
  });
});
