import { describe, expect, it } from 'vitest';
import { hugePageVariables } from '../../src/models/huge-pages.ts';

const onDemand = { platform: 'linux', setting: 'always [madvise] never\n' } as const;
const asked = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

describe('huge pages', () => {
  it('are asked for where the kernel gives them to those who ask', () => {
    expect(hugePageVariables({ HOME: '/root' }, onDemand)).toEqual(asked);
  });

  it.each([
    ['the kernel gives them to everybody', { ...onDemand, setting: '[always] madvise never\n' }],
    ['the kernel gives them to nobody', { ...onDemand, setting: 'always madvise [never]\n' }],
    ['the kernel has none', { ...onDemand, setting: undefined }],
    ['another system has other ways', { ...onDemand, platform: 'darwin' as const }],
  ])('are not asked for where %s', (_why, facts) => {
    expect(hugePageVariables({}, facts)).toBeUndefined();
  });

  it('are not asked for twice, nor against what somebody has set', () => {
    expect(hugePageVariables(asked, onDemand)).toBeUndefined();
    expect(hugePageVariables({ GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' }, onDemand)).toBeUndefined();
  });
});
