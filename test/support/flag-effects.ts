import type { FlagName } from '../../src/config.ts';

/** That a model is computed otherwise with a flag shows on such a machine alone. */
type Machine = 'with a GPU' | 'with several GPUs' | 'with memory that can be locked';

/**
 * Where it shows that a flag does something. `library`: in what llama.cpp is told (test/engine/flags-told.test.ts), `rooms`: in
 * what the rooms are built with, `start`: in what is found and read at the start (both test/config/every-flag.test.ts). Or a
 * test of its behaviour, which starts something with the flag.
 */
export type FlagEffect =
  | {
      readonly seen: 'library' | 'rooms' | 'start';
      readonly argv: readonly string[];
      /** Where a model is computed otherwise for it: elsewhere what it does ends with what is told. */
      readonly machine?: Machine;
    }
  | { readonly test: string };

const inLibrary = (...argv: readonly string[]): FlagEffect => ({ seen: 'library', argv });
const inRooms = (...argv: readonly string[]): FlagEffect => ({ seen: 'rooms', argv });
const atStart = (...argv: readonly string[]): FlagEffect => ({ seen: 'start', argv });
const needs = (machine: Machine, effect: FlagEffect): FlagEffect =>
  'seen' in effect ? { ...effect, machine } : effect;
const by = (test: string): FlagEffect => ({ test: `test/${test}.test.ts` });

/** Words of a row that stand for files which the tests write. */
export const placeholders = { model: 'MODEL', projector: 'PROJECTOR', jinja: 'JINJA', names: 'NAMES', pem: 'PEM' };
const { model, projector, jinja, names, pem } = placeholders;

export const flagEffects: Readonly<Record<FlagName, FlagEffect>> = {
  model: atStart('--model', model),
  modelsFile: inRooms('--models-file', names),
  alias: atStart('--alias', 'other'),
  strictModel: inRooms('--strict-model'),
  ctxSize: inLibrary('--ctx-size', '128'),
  parallel: inLibrary('--parallel', '2'),
  draftModel: atStart('--draft-model', model),
  lookupDecoding: inLibrary('--lookup-decoding'),
  embeddingModel: atStart('--embedding-model', model),
  embeddings: atStart('--embeddings'),
  mmproj: atStart('--mmproj', projector),
  imageMaxPixels: by('e2e/many-flags'),
  audioMaxSeconds: inRooms('--audio-max-seconds', '1'),
  allowImageUrls: by('e2e/images'),
  imageCacheMb: inRooms('--image-cache-mb', '1'),

  chatTemplateFile: atStart('--chat-template-file', jinja),
  chatFormat: atStart('--chat-format', 'hermes'),
  strictTools: inRooms('--no-strict-tools'),
  toolNameCheck: inRooms('--no-tool-name-check'),
  autoHealToolCalls: inRooms('--no-auto-heal-tool-calls'),
  toolAllow: inRooms('--tool-allow', 'a'),
  responseStore: by('e2e/ownership'),
  chatStore: by('e2e/chats'),

  mcpConfig: by('e2e/readme'),
  mcpAllowUrls: inRooms('--mcp-allow-urls'),
  tool: by('e2e/built-in-tools'),
  webSearchUrl: by('e2e/built-in-tools'),
  defaultTools: inRooms('--default-tools', 'all'),
  toolsFor: inRooms('--tools-for', 'keys'),

  gpu: needs('with a GPU', inRooms('--gpu', 'off')),
  gpuLayers: needs('with a GPU', inLibrary('--gpu-layers', '1')),
  device: needs('with several GPUs', inLibrary('--device', 'CPU')),
  gpuMemoryMb: needs('with a GPU', inRooms('--gpu-memory-mb', '1000')),
  splitMode: needs('with several GPUs', inLibrary('--split-mode', 'row')),
  tensorSplit: needs('with several GPUs', inLibrary('--tensor-split', '3,1')),
  mainGpu: needs('with several GPUs', inLibrary('--main-gpu', '1')),
  cpuMoe: needs('with a GPU', inLibrary('--cpu-moe')),
  nCpuMoe: needs('with a GPU', inLibrary('--n-cpu-moe', '1')),
  overrideTensor: needs('with a GPU', inLibrary('--override-tensor', 'blk.0.ffn_up.weight=CPU')),
  mmap: inLibrary('--no-mmap'),
  mlock: needs('with memory that can be locked', inLibrary('--mlock')),
  threads: inLibrary('--threads', '2'),
  threadsBatch: inLibrary('--threads-batch', '2'),
  cpuMask: inLibrary('--cpu-mask', '1'),
  prio: inLibrary('--prio', '-1'),
  poll: inLibrary('--poll', '0'),
  flashAttn: inLibrary('--flash-attn'),
  batchSize: inLibrary('--batch-size', '64'),
  ubatchSize: inLibrary('--ubatch-size', '32'),
  cacheTypeKv: inLibrary('--cache-type-kv', 'f32'),
  cacheTypeK: inLibrary('--cache-type-k', 'q8_0'),
  cacheTypeV: inLibrary('--cache-type-v', 'bf16'),
  swaFull: inLibrary('--swa-full'),
  kvUnified: inLibrary('--kv-unified'),
  ropeScaling: inLibrary('--rope-scaling', 'linear'),
  ropeFreqBase: inLibrary('--rope-freq-base', '20000'),
  ropeFreqScale: inLibrary('--rope-freq-scale', '0.5'),
  yarnOrigCtx: inLibrary('--yarn-orig-ctx', '64'),
  yarnExtFactor: inLibrary('--yarn-ext-factor', '0.5'),
  yarnAttnFactor: inLibrary('--yarn-attn-factor', '0.5'),
  yarnBetaFast: inLibrary('--yarn-beta-fast', '16'),
  yarnBetaSlow: inLibrary('--yarn-beta-slow', '2'),
  lora: by('engine/adapters'),
  prefixCacheMb: inRooms('--prefix-cache-mb', '1'),
  prefixCacheDir: by('e2e/prefix-cache-dir'),
  engineProcess: by('e2e/engine-process'),

  host: inRooms('--host', '::1'),
  port: inRooms('--port', '1'),
  sslCert: inRooms('--ssl-cert', pem, '--ssl-key', pem),
  sslKey: inRooms('--ssl-cert', pem, '--ssl-key', pem),
  open: by('e2e/many-flags'),
  ui: by('e2e/many-flags'),
  stay: by('e2e/listen-first'),
  drainTimeout: by('e2e/drain'),

  maxQueue: inRooms('--max-queue', '1'),
  queueTimeout: inRooms('--queue-timeout', '1'),
  maxPredictSeconds: inRooms('--max-predict-seconds', '1'),
  maxInFlight: inRooms('--max-in-flight', '1'),
  maxStreamsPerKey: inRooms('--max-streams-per-key', '1'),
  rateLimitRpm: inRooms('--rate-limit-rpm', '1'),
  rateLimitTpm: inRooms('--rate-limit-tpm', '1'),
  maxBodyMb: inRooms('--max-body-mb', '1'),
  maxJsonDepth: inRooms('--max-json-depth', '8'),
  headerTimeout: inRooms('--header-timeout', '1'),
  bodyTimeout: inRooms('--body-timeout', '1'),

  apiKey: by('e2e/anthropic'),
  apiKeyFile: by('e2e/keys'),
  adminToken: by('e2e/terminal-chat'),
  cacheScope: inRooms('--cache-scope', 'key'),
  corsOrigin: inRooms('--cors-origin', 'https://a.example'),
  allowedHost: inRooms('--allowed-host', 'a.example'),

  logLevel: inRooms('--log-level', 'error'),
  verbose: inRooms('--verbose'),
  logFormat: inRooms('--log-format', 'json'),
  logPrompts: inRooms('--log-prompts'),
  metrics: inRooms('--metrics', 'off'),
  metricsToken: inRooms('--metrics-token', 'secret'),
  metricsCompat: inRooms('--metrics-compat', 'none'),

  modelsDir: inRooms('--models-dir', 'elsewhere'),
  hfToken: inRooms('--hf-token', 'secret'),
  hfEndpoint: inRooms('--hf-endpoint', 'http://hub.example'),
  yes: by('e2e/obtain-model'),
  force: by('e2e/many-flags'),
  allowRequantize: by('e2e/quantize'),
  imatrix: by('e2e/quantize'),
  autoload: inRooms('--no-autoload'),
  keepAlive: inRooms('--keep-alive', '1'),

  url: by('e2e/bench'),
  peer: by('e2e/bench'),
  only: by('e2e/bench'),
  tokens: by('e2e/bench'),
  rounds: by('e2e/bench'),
  print: by('e2e/launch'),
  json: by('e2e/bench'),
  seconds: by('e2e/doctor'),
  hub: by('e2e/doctor'),
};
