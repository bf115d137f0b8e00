import { cacheTypes, cacheTypesApart } from '../contract/model-settings.ts';
import { flag } from './flag.ts';
import { choice, coreMask, decimal, exactList, integer, list, shares, text, toggle } from './value-kinds.ts';

const none: readonly string[] = [];

/** How the model is computed: named as llama.cpp names them. */
export const engineFlags = {
  gpu: flag('Engine', choice(['auto', 'cuda', 'metal', 'vulkan', 'off']), {
    default: 'auto',
    help: 'What to compute on.',
  }),
  gpuLayers: flag('Engine', integer({ min: 0 }), {
    default: undefined,
    defaultText: 'as many as fit',
    help: 'Layers of the model that go to the GPU.',
  }),
  device: flag('Engine', list('NAME'), {
    default: none,
    defaultText: 'all',
    help: 'GPUs to use, by the names that the library gives them, such as CUDA0.',
  }),
  gpuMemoryMb: flag('Engine', integer({ min: 1 }), {
    default: undefined,
    defaultText: 'what is free',
    help: 'Most that a model takes of each GPU, in MB. `inspect` shows what would go where on a GPU of this size.',
  }),
  splitMode: flag('Engine', choice(['none', 'layer', 'row']), {
    default: undefined,
    defaultText: 'layer',
    help: 'How a model is spread over several GPUs.',
  }),
  tensorSplit: flag('Engine', shares(), {
    default: undefined,
    defaultText: 'by free memory',
    help: 'Shares of the model for each GPU.',
  }),
  mainGpu: flag('Engine', integer({ min: 0 }), {
    default: undefined,
    defaultText: '0',
    help: 'The GPU of a model that is not split, counted from 0.',
  }),
  cpuMoe: flag('Engine', toggle(), {
    default: false,
    help: 'Keep all experts of a mixture-of-experts model in main memory.',
  }),
  nCpuMoe: flag('Engine', integer({ min: 0 }), {
    default: undefined,
    defaultText: 'as few as a GPU leaves over',
    help: 'Keep the experts of the first N layers in main memory.',
  }),
  overrideTensor: flag('Engine', list('PATTERN=PLACE'), {
    default: none,
    help: 'Where tensors go whose names fit a regular expression: CPU, or the name of a device.',
  }),
  mmap: flag('Engine', toggle(), { default: true, help: 'Map the model file into memory instead of reading it.' }),
  mlock: flag('Engine', toggle(), { default: false, help: 'Keep the model in RAM: it is never swapped out.' }),
  threads: flag('Engine', integer({ min: 1, max: 512 }), {
    default: undefined,
    defaultText: 'measured at start',
    help: 'Processor threads.',
    alsoFlags: ['t'],
  }),
  threadsBatch: flag('Engine', integer({ min: 1, max: 512 }), {
    default: undefined,
    defaultText: 'as --threads',
    help: 'Processor threads that read prompts.',
    alsoFlags: ['tb'],
  }),
  cpuMask: flag('Engine', coreMask(), {
    default: undefined,
    defaultText: 'all cores',
    help: 'Cores that compute, as a hexadecimal mask.',
    alsoFlags: ['C'],
  }),
  prio: flag('Engine', integer({ min: -1, max: 3 }), {
    default: 0,
    help: 'Priority of the threads that compute: -1 low to 3 realtime. Above 0 the system may refuse it.',
  }),
  poll: flag('Engine', integer({ min: 0, max: 100 }), {
    default: 50,
    help: 'How long idle threads spin before they sleep, 0 not at all.',
  }),
  flashAttn: flag('Engine', toggle(), {
    default: undefined,
    defaultText: 'on, unless it measures worse at start',
    help: 'Flash attention.',
  }),
  batchSize: flag('Engine', integer({ min: 8, max: 65_536 }), {
    default: 512,
    help: 'Most tokens that are evaluated in one step.',
    alsoFlags: ['b'],
  }),
  ubatchSize: flag('Engine', integer({ min: 1, max: 65_536 }), {
    default: undefined,
    defaultText: 'as --batch-size',
    help: 'Most tokens of one pass over the weights.',
    alsoFlags: ['ub'],
  }),
  cacheTypeKv: flag('Engine', choice(cacheTypes), {
    default: 'f16',
    help: 'Number format of the context memory.',
  }),
  cacheTypeK: flag('Engine', choice(cacheTypesApart), {
    default: undefined,
    defaultText: 'as --cache-type-kv',
    help: 'Number format of the keys alone.',
    alsoFlags: ['ctk'],
  }),
  cacheTypeV: flag('Engine', choice(cacheTypesApart), {
    default: undefined,
    defaultText: 'as --cache-type-kv',
    help: 'Number format of the values alone.',
    alsoFlags: ['ctv'],
  }),
  swaFull: flag('Engine', toggle(), {
    default: false,
    help: 'Sliding windows keep every token: their conversations can go back to any point, for more memory.',
  }),
  kvUnified: flag('Engine', toggle(), {
    default: false,
    help: 'All slots share one pool of context memory.',
  }),
  ropeScaling: flag('Engine', choice(['none', 'linear', 'yarn']), {
    default: undefined,
    defaultText: "the model's own",
    help: 'How positions beyond the trained context are computed.',
  }),
  ropeFreqBase: flag('Engine', decimal({ min: 0 }), {
    default: undefined,
    defaultText: "the model's own",
    help: 'Base frequency of the positions.',
  }),
  ropeFreqScale: flag('Engine', decimal({ min: 0 }), {
    default: undefined,
    defaultText: "the model's own",
    help: 'Scale of the positions: 0.5 doubles the context.',
  }),
  yarnOrigCtx: flag('Engine', integer({ min: 0 }), {
    default: undefined,
    defaultText: 'the trained context',
    help: 'YaRN: the context before it was stretched.',
  }),
  yarnExtFactor: flag('Engine', decimal(), {
    default: undefined,
    defaultText: "the model's own",
    help: 'YaRN: how much is extrapolated, 0 is interpolation alone.',
  }),
  yarnAttnFactor: flag('Engine', decimal(), {
    default: undefined,
    defaultText: "the model's own",
    help: 'YaRN: scale of the attention.',
  }),
  yarnBetaFast: flag('Engine', decimal(), {
    default: undefined,
    defaultText: "the model's own",
    help: 'YaRN: where interpolation begins.',
  }),
  yarnBetaSlow: flag('Engine', decimal(), {
    default: undefined,
    defaultText: "the model's own",
    help: 'YaRN: where interpolation is whole.',
  }),
  lora: flag('Engine', exactList('FILE[:SCALE]'), {
    default: none,
    help: 'LoRA adapter of the model, added by SCALE (1): repeat it for several. GET /lora-adapters lists them.',
  }),
  prefixCacheMb: flag('Engine', integer({ min: 0 }), {
    default: 512,
    help: 'Memory for prompt beginnings that may be used again, in MB.',
  }),
  prefixCacheDir: flag('Engine', text('DIR'), {
    default: undefined,
    defaultText: 'memory only',
    help: 'Keep prompt beginnings in this folder, over restarts.',
  }),
  engineProcess: flag('Engine', toggle(), {
    default: false,
    help: 'Run each chat model in a process of its own: the server outlives a crash of the inference library.',
  }),
} as const;
