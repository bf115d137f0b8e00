import { readFileSync } from 'node:fs';

/** What the machine does about huge pages. */
export interface PageFacts {
  readonly platform: NodeJS.Platform;
  /** The kernel's setting, the choice in brackets: `always [madvise] never`; undefined where there is none. */
  readonly setting: string | undefined;
}

const settingFile = '/sys/kernel/mm/transparent_hugepage/enabled';

/**
 * What a process that computes a model must find in its environment when it starts, so that weights and contexts lie in
 * pages of 2 MiB instead of 4 KiB; undefined where that changes nothing: the kernel always gives them or never, or
 * somebody has chosen settings of the C library, this one perhaps. Other C libraries than glibc do not read the variable.
 *
 * Why: a decode step goes through all weights once, and the processor spends a part of it on finding pages. The price:
 * the C library reads its settings once, when a process starts. Measured: see the README of cli.
 */
export function hugePageVariables(
  env: NodeJS.ProcessEnv,
  { platform, setting }: PageFacts = pageFacts(),
): Readonly<Record<string, string>> | undefined {
  if (platform !== 'linux' || env[variable] !== undefined || !setting?.includes('[madvise]')) return undefined;
  return { [variable]: 'glibc.malloc.hugetlb=1' };
}

const variable = 'GLIBC_TUNABLES';

function pageFacts(): PageFacts {
  const { platform } = process;
  try {
    return { platform, setting: readFileSync(settingFile, 'utf8') };
  } catch {
    return { platform, setting: undefined };
  }
}
