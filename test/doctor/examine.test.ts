import { describe, expect, it } from 'vitest';
import { describeCard } from '../../src/doctor/cards.ts';
import { examine } from '../../src/doctor/examine.ts';
import { knownModels } from '../../src/doctor/known-models.ts';
import { type NativeReport, nativeReport } from '../../src/doctor/native-report.ts';
import type { Probes } from '../../src/doctor/probes.ts';
import { checkRows, outlookLines } from '../../src/doctor/show.ts';

const builds = [
  { gpu: 'cuda', folder: '/lib/cuda', fault: 'no driver with a device' },
  { gpu: 'vulkan', fault: 'not installed' },
  { gpu: false, folder: '/lib/cpu' },
] as const;
const rates = { reading: { Q8_0: 20e9, Q4_K: 16e9, Q6_K: 20e9 }, prompt: { Q8_0: 2e11, Q4_K: 2e11, Q6_K: 2e11 } };
const measuredLine: NonNullable<NativeReport['measured']> = {
  step: 'measured',
  ...{ threads: 4, cpu: rates, bytes: 512e6 },
  small: { answer: 5000, prompt: 20_000 },
};
const whole: NativeReport = {
  found: { step: 'found', builds: [...builds] },
  opened: { step: 'opened', version: '0.5.0', gpu: false, folder: '/lib/cpu', gpus: [] },
  measured: measuredLine,
  fault: undefined,
};
const now = Date.UTC(2026, 10, 30, 12);

/** A sound machine without a GPU, but for what is said otherwise. */
function machine(changes: Partial<Probes> = {}): Probes {
  return {
    system: {
      ...{ version: '0.1.0', node: 'v22.15.0', wantedNode: '>=20.19', platform: 'linux', arch: 'x64' },
      ...{ release: '6.1', cpu: 'EPYC', cores: 4 },
    },
    cards: () => [],
    native: async () => whole,
    memory: () => ({ total: 32e9, available: 28e9 }),
    load: () => 0.2,
    disk: async (folder) => ({ folder, freeBytes: 80e9, problem: undefined }),
    port: async () => ({ host: '127.0.0.1', port: 8080, taken: undefined }),
    hub: async () => ({ reached: true, url: 'https://hub', ms: 80, date: now }),
    now: () => now,
    fit: ({ sizeBytes }) =>
      sizeBytes > 10e9 ? { tooLarge: 'too large' } : { contextSize: 32_768, slots: 4, where: undefined },
    ...changes,
  };
}

async function lookAt(changes: Partial<Probes> = {}) {
  const [small] = knownModels();
  if (!small) throw new Error('there is none');
  const folders = [{ what: 'models', folder: '/models' }];
  const options = { models: knownModels(), small, bytes: 512e6, folders, tell: () => undefined };
  const report = await examine(machine(changes), options);
  const rows = checkRows(report).map((row) => row.join('|'));
  return { report, rows, about: (name: string) => linesAbout(rows, name), outlook: outlookLines(report) };
}

/** The line of a check and those that go on with it. */
function linesAbout(rows: readonly string[], name: string): string[] {
  const start = rows.findIndex((row) => row.includes(`|${name}|`));
  const rest = rows.slice(start + 1);
  const end = rest.findIndex((row) => !row.startsWith('||'));
  return rows.slice(start, start + 1 + (end === -1 ? rest.length : end));
}

describe('a machine without a GPU', () => {
  it('is told about in one line for each thing, and what it will do with models', async () => {
    const { rows, outlook } = await lookAt();
    expect(rows).toEqual([
      '|serve-model|0.1.0',
      'ok|Node.js|v22.15.0 on linux 6.1, x64, 4 cores (EPYC)',
      'ok|library|llama.cpp 0.5.0 for the CPU (cuda: no driver with a device; vulkan: not installed), in /lib/cpu',
      'ok|GPU|none',
      'ok|memory|28.0 GB of 32.0 GB free',
      'ok|load|0.2 on 4 cores',
      'ok|disk (models)|80.0 GB free in /models',
      'ok|port|8080 on 127.0.0.1 is free',
      'ok|hub|https://hub answers in 80 ms',
      "ok|clock|2026-11-30T12:00:00Z, as the hub's",
    ]);
    expect(outlook).toEqual([
      'measured with 4 threads, 512 MB of weights at a time: Q8_0 20.0 GB/s, Q4_K 16.0 GB/s, Q6_K 20.0 GB/s',
      'the bundled demo model: 5000 tokens/s, prompts at 20000 tokens/s',
      'estimated from that, at best, for one answer at a time with a short prompt:',
      expect.stringMatching(
        /^ {2}Qwen3-0\.6B Q8_0 \(633 MB\): fits with 32k in 4 slots, about \d+ tokens\/s, prompts at about \d+$/,
      ),
      expect.stringMatching(
        /^ {2}Qwen3-4B Q4_K_M \(2\.5 GB\): fits with 32k in 4 slots, about 6\.\d tokens\/s, prompts at about 28$/,
      ),
      expect.stringMatching(/^ {2}Qwen3-8B Q4_K_M \(5\.0 GB\): fits with 32k in 4 slots/),
      '  Qwen3-30B-A3B Q4_K_M (18.5 GB): does not fit',
    ]);
  });

  it('that has a card says why it is not used', async () => {
    const pci = { kind: '0x030000', vendor: '0x10de', device: '0x2684', driver: undefined };
    const card = describeCard(pci);
    expect(describeCard({ ...pci, kind: '0x020000' })).toBeUndefined();
    const { about } = await lookAt({ cards: () => (card ? [card] : []) });
    expect(about('GPU')).toEqual([
      'WARNING|GPU|found and not used: NVIDIA 10de:2684, no driver',
      '||Builds that could use it: cuda: no driver with a device; vulkan: not installed.',
      '||CUDA needs a driver for CUDA 13, Vulkan its loader (libvulkan.so.1); --gpu cuda says more.',
    ]);
    const screen = describeCard({ ...pci, vendor: '0x1234', driver: 'bochs-drm' });
    expect((await lookAt({ cards: () => (screen ? [screen] : []) })).about('GPU')).toEqual([
      'ok|GPU|none that computes (another card 1234:2684, driver bochs-drm)',
    ]);
  });
});

describe('a machine with a GPU', () => {
  it('names it, and estimates by what lies there', async () => {
    const gpus = [{ name: 'CUDA0', description: 'H200', freeBytes: 140e9, totalBytes: 141e9, sharesMain: false }];
    const fast = { reading: { Q8_0: 2e12, Q4_K: 2e12, Q6_K: 2e12 }, prompt: { Q8_0: 1e14, Q4_K: 1e14, Q6_K: 1e14 } };
    const asked: number[] = [];
    const { about, outlook } = await lookAt({
      native: async () => ({
        ...whole,
        opened: { step: 'opened', version: '0.5.0', gpu: 'cuda', folder: '/lib/cuda', gpus },
        measured: { ...measuredLine, gpu: fast },
      }),
      fit: (_, found) => {
        asked.push(found.length);
        return { contextSize: 32_768, slots: 4, where: { gpuLayers: 20, layers: 37, expertLayers: 0 } };
      },
    });
    expect(about('GPU')).toEqual(['ok|GPU|CUDA0: H200, 140 GB of 141 GB free']);
    expect(asked).toEqual([1, 1, 1, 1]);
    expect(outlook[1]).toBe('on the GPU: Q8_0 2.0 TB/s, Q4_K 2.0 TB/s, Q6_K 2.0 TB/s');
    expect(outlook[5]).toContain('20 of 37 layers on the GPU, about');
  });
});

describe('a broken library', () => {
  const found = JSON.stringify(whole.found);
  const opened = JSON.stringify(whole.opened);
  const end = { output: `${found}\n`, words: '', code: 0, signal: null, late: false };

  it('is a problem, in the words of what went wrong, and nothing is estimated', async () => {
    const failed = JSON.stringify({ step: 'failed', words: 'libllama.so cannot be loaded: file too short.' });
    const { about, outlook, report } = await lookAt({
      native: async () => nativeReport({ ...end, output: `${found}\n${failed}\n` }),
    });
    expect(about('library')).toEqual([
      'PROBLEM|library|the one in /lib/cpu does not open',
      '||libllama.so cannot be loaded: file too short.',
      '||npm ci (or npm install) puts it there anew.',
    ]);
    expect(outlook).toEqual([]);
    expect(report.models.map(({ speed }) => speed)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it.each([
    [
      'that ends the process',
      { signal: 'SIGBUS', code: null },
      'It ended the process (SIGBUS) while opening the library.',
    ],
    [
      'that asserts',
      { code: 134, words: 'GGML_ASSERT(a) failed' },
      'It ended the process (exit 134) while opening the library: GGML_ASSERT(a) failed.',
    ],
    ['that hangs', { late: true }, 'It did not come to an end while opening the library.'],
    [
      'whose last words are cut',
      { output: `${found}\n{"step":"ope`, signal: 'SIGSEGV' },
      'It ended the process (SIGSEGV) while opening the library.',
    ],
  ])('%s is told about as that', (_, changes, fault) => {
    expect(nativeReport({ ...end, ...changes })).toMatchObject({ fault, opened: undefined, measured: undefined });
  });

  it('that opens and does not compute is a problem too', async () => {
    const native = async () => nativeReport({ ...end, output: `${found}\n${opened}\n`, signal: 'SIGILL', code: null });
    expect((await lookAt({ native })).about('library')).toEqual([
      expect.stringMatching(/^PROBLEM\|library\|llama\.cpp 0\.5\.0 for the CPU/),
      '||The measurement did not come to an end: It ended the process (SIGILL) while measuring.',
    ]);
  });

  it('that is not installed says so', async () => {
    const none = { step: 'found', builds: builds.map(({ gpu }) => ({ gpu, fault: 'not installed' })) };
    const output = `${JSON.stringify(none)}\n${JSON.stringify({ step: 'failed', words: 'No native library.' })}\n`;
    const { about } = await lookAt({ native: async () => nativeReport({ ...end, output }) });
    expect(about('library')[0]).toBe(
      'PROBLEM|library|none that serves here (cuda: not installed; vulkan: not installed; CPU: not installed)',
    );
  });
});

describe('what else can be wrong', () => {
  it.each<[string, Partial<Probes>, string, string[]]>([
    [
      'a full disk',
      { disk: async (folder) => ({ folder, freeBytes: 0, problem: 'ENOSPC: no space left on device' }) },
      'disk (models)',
      ['PROBLEM|disk (models)|0 bytes free in /models', '||It cannot be written to: ENOSPC: no space left on device.'],
    ],
    [
      'a disk that is nearly full',
      { disk: async (folder) => ({ folder, freeBytes: 300e6, problem: undefined }) },
      'disk (models)',
      [
        'WARNING|disk (models)|300 MB free in /models',
        '||That is less than a model takes: serve-model rm NAME deletes one.',
      ],
    ],
    [
      'little memory',
      { memory: () => ({ total: 8e9, available: 0.5e9 }) },
      'memory',
      [
        'WARNING|memory|500 MB of 8.0 GB free',
        '||Little is left for a model: end other programs, or take a small one.',
      ],
    ],
    [
      'other programs',
      { load: () => 7.3 },
      'load',
      ['WARNING|load|7.3 on 4 cores', '||Other programs compute: what is measured is less than this machine can do.'],
    ],
    [
      'an old Node.js',
      { system: { ...machine().system, node: 'v20.9.0' } },
      'Node.js',
      ['PROBLEM|Node.js|v20.9.0 on linux 6.1, x64, 4 cores (EPYC)', '||Node.js >=20.19 is needed.'],
    ],
    [
      'a port that is taken',
      { port: async () => ({ host: '::', port: 8080, taken: 'other' }) },
      'port',
      ['WARNING|port|8080 on :: is taken by another program', '||--port 0 takes a free one.'],
    ],
    [
      'a port of a server of one’s own',
      { port: async () => ({ host: '::', port: 8080, taken: 'own' }) },
      'port',
      ['ok|port|8080 on :: is a server of yours: serve-model ps'],
    ],
    [
      'a hub that is away',
      { hub: async () => ({ reached: false, url: 'https://hub', why: 'no answer within 4 s' }) },
      'hub',
      [
        'WARNING|hub|https://hub cannot be reached: no answer within 4 s',
        '||Models that lie here are served all the same.',
      ],
    ],
    ['a hub that was not to be asked', { hub: () => undefined }, 'hub', ['skipped|hub|not asked (--no-hub)']],
    [
      'a clock that is wrong by the hub',
      { now: () => now + 3_600_000 },
      'clock',
      [
        "WARNING|clock|2026-11-30T13:00:00Z is 3600 s ahead of the hub's",
        '||Certificates are refused by a clock that is wrong: set it.',
      ],
    ],
    [
      'a clock that cannot be right',
      { now: () => 0, hub: () => undefined },
      'clock',
      [
        'WARNING|clock|1970-01-01T00:00:00Z cannot be right',
        '||Certificates are refused by a clock that is wrong: set it.',
      ],
    ],
  ])('%s is told about', async (_, changes, name, lines) => {
    expect((await lookAt(changes)).about(name)).toEqual(lines);
  });
});
