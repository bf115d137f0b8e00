import { measurementKinds } from '../contract/measurements.ts';
import { type BuiltInToolName, builtInToolNames } from '../contract/server-tools.ts';
import { engineFlags } from './engine-flags.ts';
import { type Flag, flag } from './flag.ts';
import {
  address,
  choice,
  choices,
  duration,
  exactList,
  integer,
  list,
  text,
  textOrNone,
  toggle,
} from './value-kinds.ts';

export { type Flag, flagGroups } from './flag.ts';

const none: readonly string[] = [];
const noTools: readonly BuiltInToolName[] = [];

export const flags = {
  model: flag('Model', exactList('MODEL'), {
    default: none,
    defaultText: 'the bundled demo model',
    help: 'A .gguf file, a folder that holds one, or hf:owner/repo[:quant]; the same as MODEL.',
    alsoFlags: ['m'],
  }),
  modelsFile: flag('Model', text('FILE'), {
    default: undefined,
    help: 'JSON file of models with names: {"coder": {"model": "hf:owner/repo", "ctxSize": 32768}}.',
  }),
  alias: flag('Model', list('NAME'), {
    default: none,
    defaultText: 'the file name without .gguf',
    help: 'Name under which the model is served; the first one is its id.',
    alsoFlags: ['served-model-name', 'a'],
  }),
  strictModel: flag('Model', toggle(), {
    default: false,
    help: 'Refuse requests for model names that are not served. Without it they go to the default model.',
  }),
  ctxSize: flag('Model', integer({ min: 0 }), {
    default: 0,
    defaultText: 'up to 32768, less where memory is short',
    help: 'Context of each slot in tokens.',
    alsoFlags: ['c'],
  }),
  parallel: flag('Model', integer({ min: 1, max: 256 }), {
    default: undefined,
    defaultText: '4, or as many as there is memory for',
    help: 'Slots: how many requests are generated at the same time.',
  }),
  draftModel: flag('Model', text('MODEL'), {
    default: undefined,
    help: 'Speculative decoding with this small model of the same vocabulary.',
  }),
  lookupDecoding: flag('Model', toggle(), {
    default: false,
    help: 'Speculative decoding from the text of the prompt.',
  }),
  embeddingModel: flag('Model', text('MODEL'), {
    default: undefined,
    help: 'Serve embeddings from this model beside the chat model.',
  }),
  embeddings: flag('Model', toggle(), { default: false, help: 'Serve embeddings and reranking only.' }),

  mmproj: flag('Model', textOrNone('FILE'), {
    default: undefined,
    defaultText: 'one that lies beside the model',
    help: 'Projector of the first model, which lets it see or hear: a file, or hf:owner/repo[:F16]. --no-mmproj: no model does.',
  }),
  imageMaxPixels: flag('Limits', integer({ min: 1, max: 16_384 * 16_384 }), {
    default: 40_000_000,
    help: 'Largest image in points; no side may be longer than 16384.',
  }),
  audioMaxSeconds: flag('Limits', integer({ min: 1, max: 86_400 }), {
    default: 600,
    help: 'Longest sound of a request, in seconds.',
  }),
  allowImageUrls: flag('Limits', toggle(), {
    default: false,
    help: 'Fetch images and sounds that requests name by http(s) address, from the public internet alone.',
  }),
  imageCacheMb: flag('Engine', integer({ min: 0 }), {
    default: 256,
    help: 'Memory for images and sounds that were read and encoded, in MB: the next turn needs no second time.',
  }),

  chatTemplateFile: flag('Chat', text('FILE'), {
    default: undefined,
    help: 'Jinja chat template to use instead of the one in the model file.',
  }),
  chatFormat: flag('Chat', text('NAME'), {
    default: undefined,
    help: 'Family of reasoning and tool-call markers, when the template does not tell.',
  }),
  strictTools: flag('Chat', toggle(), {
    default: true,
    help: "Hold the arguments of tool calls to the tool's schema while they are generated.",
  }),
  toolNameCheck: flag('Chat', toggle(), {
    default: true,
    help: 'Give a call to a tool that was not offered as text.',
  }),
  autoHealToolCalls: flag('Chat', toggle(), {
    default: true,
    help: 'Repair malformed tool calls where the repair is certain.',
  }),
  toolAllow: flag('Chat', list('NAME'), {
    default: none,
    defaultText: 'every tool',
    help: 'Tools that requests may offer; others are refused.',
  }),
  responseStore: flag('Chat', text('memory|DIR'), {
    default: undefined,
    defaultText: 'nothing is kept',
    help: 'Keep answers of /v1/responses, in memory or in a folder.',
  }),

  chatStore: flag('Chat', text('DIR|off'), {
    default: undefined,
    defaultText: "the user's data folder",
    help: 'Keep the chats of the page in this folder; off: nowhere on the server.',
  }),

  mcpConfig: flag('Tools', text('FILE'), {
    default: undefined,
    defaultText: 'the server runs no tools',
    help: 'Servers of tools (MCP), in the mcp.json form of LM Studio, Claude and Cursor.',
  }),
  mcpAllowUrls: flag('Tools', toggle(), {
    default: false,
    help: 'Requests may name servers of tools by URL; they are reached on the public internet alone.',
  }),
  tool: flag('Tools', choices(builtInToolNames), {
    default: noTools,
    defaultText: 'none',
    help: 'Tools that need no server of their own; fetch reads the public internet alone.',
    alsoFlags: ['tools'],
  }),
  webSearchUrl: flag('Tools', text('URL'), {
    default: undefined,
    help: 'Adds the tool web_search: a SearXNG, or an address with {query} in it that answers in the same JSON.',
  }),
  defaultTools: flag('Tools', list('NAME|all'), {
    default: none,
    defaultText: 'only requests that ask for them get any',
    help: "The server's tools for chats that bring none of their own: by tool, by server, or all.",
  }),
  toolsFor: flag('Tools', choice(['admin', 'keys', 'local']), {
    default: undefined,
    defaultText: 'admin where there are keys, else local',
    help: "For whom the server's tools are run: admin, every key, or callers on this machine.",
  }),

  ...engineFlags,

  host: flag('Server', text('ADDRESS'), { default: '127.0.0.1', help: 'Address to listen on; 0.0.0.0 for all.' }),
  port: flag('Server', integer({ min: 0, max: 65_535 }), {
    default: 8080,
    help: 'Port to listen on; 0 takes a free one.',
    alsoFlags: ['p'],
  }),
  sslCert: flag('Server', text('FILE'), { default: undefined, help: 'Certificate in PEM form: serve HTTPS.' }),
  sslKey: flag('Server', text('FILE'), { default: undefined, help: 'Private key of the certificate.' }),
  open: flag('Server', toggle(), { default: false, help: 'Open the address in the browser.' }),
  ui: flag('Server', toggle(), { default: true, help: 'Show browsers the chat page at /.' }),
  stay: flag('Server', toggle(), {
    default: false,
    help: 'Stay when the model cannot be downloaded or loaded at the start: another one can be loaded by API.',
  }),
  drainTimeout: flag('Server', duration(), {
    default: 50,
    help: 'After SIGTERM, how long running answers may take to finish.',
  }),

  maxQueue: flag('Limits', integer({ min: 0 }), {
    default: undefined,
    defaultText: '16 for each slot',
    help: 'Requests that may wait for a slot; more are answered 429.',
  }),
  queueTimeout: flag('Limits', duration({ min: 1 }), { default: 60, help: 'Longest wait for a slot.' }),
  maxPredictSeconds: flag('Limits', duration({ min: 1 }), { default: 600, help: 'Longest time for one answer.' }),
  maxInFlight: flag('Limits', integer({ min: 1 }), {
    default: undefined,
    defaultText: 'no limit',
    help: 'Requests in the server at once, waiting ones included; more are answered 429.',
  }),
  maxStreamsPerKey: flag('Limits', integer({ min: 1 }), {
    default: undefined,
    defaultText: 'no limit',
    help: 'Requests at once of one API key.',
  }),
  rateLimitRpm: flag('Limits', integer({ min: 1 }), {
    default: undefined,
    defaultText: 'no limit',
    help: 'Requests per minute of one API key.',
  }),
  rateLimitTpm: flag('Limits', integer({ min: 1 }), {
    default: undefined,
    defaultText: 'no limit',
    help: 'Tokens per minute of one API key.',
  }),
  maxBodyMb: flag('Limits', integer({ min: 1, max: 1024 }), { default: 32, help: 'Largest request body in MB.' }),
  maxJsonDepth: flag('Limits', integer({ min: 8, max: 1000 }), {
    default: 256,
    help: 'Deepest nesting of a request body.',
  }),
  headerTimeout: flag('Limits', duration({ min: 1 }), { default: 15, help: 'Longest time to send the headers.' }),
  bodyTimeout: flag('Limits', duration({ min: 1 }), { default: 60, help: 'Longest time to send the body.' }),

  apiKey: flag('Keys and access', list('KEY'), {
    default: none,
    defaultText: 'no key is asked for',
    help: 'Key that requests must carry.',
    alsoEnvironment: ['SERVE_MODEL_API_KEYS'],
  }),
  apiKeyFile: flag('Keys and access', text('FILE'), {
    default: undefined,
    help: 'File of keys, NAME: KEY [admin] [limits] in each line. SIGHUP reads it again.',
  }),
  adminToken: flag('Keys and access', text('TOKEN'), {
    default: undefined,
    defaultText: 'keys marked admin',
    help: 'Token for /internal/* and for loading and unloading models; opens what a key opens too.',
  }),
  cacheScope: flag('Keys and access', choice(['key', 'server']), {
    default: undefined,
    defaultText: 'key where there are several, else server',
    help: 'Who shares prompts that were read once: the requests of one key, or all.',
  }),
  corsOrigin: flag('Keys and access', list('ORIGIN'), {
    default: none,
    defaultText: 'local pages only',
    help: 'Origin of web pages that may use the server.',
  }),
  allowedHost: flag('Keys and access', list('NAME'), {
    default: none,
    defaultText: 'local names and the address',
    help: 'Host name that requests may ask for while no key is set.',
  }),

  logLevel: flag('Logs and metrics', choice(['debug', 'info', 'warn', 'error', 'silent']), {
    default: 'info',
    help: 'How much is logged.',
  }),
  verbose: flag('Logs and metrics', toggle(), { default: false, help: 'The same as --log-level debug.' }),
  logFormat: flag('Logs and metrics', choice(['pretty', 'json']), {
    default: 'pretty',
    help: 'Form of the log lines.',
  }),
  logPrompts: flag('Logs and metrics', toggle(), { default: false, help: 'Log the text of prompts and answers.' }),
  metrics: flag('Logs and metrics', choice(['public', 'token', 'off']), {
    default: 'public',
    help: 'Who may read /metrics.',
  }),
  metricsToken: flag('Logs and metrics', text('TOKEN'), {
    default: undefined,
    help: 'Token for /metrics with --metrics token.',
  }),
  metricsCompat: flag('Logs and metrics', choice(['vllm', 'none']), {
    default: 'vllm',
    help: 'Also show the names that inference gateways read.',
  }),

  modelsDir: flag('Model files', text('DIR'), {
    default: undefined,
    defaultText: "the user's cache folder",
    help: 'Folder for downloaded models.',
  }),
  hfToken: flag('Model files', text('TOKEN'), {
    default: undefined,
    help: 'Access token of the model hub.',
    alsoEnvironment: ['HF_TOKEN'],
  }),
  hfEndpoint: flag('Model files', text('URL'), {
    default: 'https://huggingface.co',
    help: 'Address of the model hub.',
    alsoEnvironment: ['HF_ENDPOINT'],
  }),
  yes: flag('Model files', toggle(), {
    default: false,
    help: 'Ask nothing: take the best quantization that fits.',
    alsoFlags: ['y'],
  }),
  force: flag('Model files', toggle(), {
    default: false,
    help: 'Replace the file if there is one.',
    onlyFor: ['quantize'],
  }),
  allowRequantize: flag('Model files', toggle(), {
    default: false,
    help: 'Quantize what is quantized already: it loses more than the whole weights would.',
    onlyFor: ['quantize'],
  }),
  imatrix: flag('Model files', text('FILE'), {
    default: undefined,
    help: 'How much each input matters, in the GGUF form of llama-imatrix: small types lose less with it.',
    onlyFor: ['quantize'],
  }),
  autoload: flag('Model files', toggle(), {
    default: true,
    help: 'Load a configured or local model when a request names it.',
  }),
  keepAlive: flag('Model files', duration(), {
    default: undefined,
    defaultText: 'for ever when given at start, else 5m',
    help: 'Unload a model that was not used for this long.',
  }),

  url: flag('Clients on a terminal', address(), {
    default: undefined,
    defaultText: 'the server that this user has started',
    help: 'Server to talk to, with the first --api-key.',
    onlyFor: ['run', 'chat', 'launch', 'ps', 'stop', 'bench'],
  }),
  peer: flag('Clients on a terminal', address(), {
    default: undefined,
    help: "Another server with OpenAI's API, to be measured by turns with this one.",
    onlyFor: ['bench'],
  }),
  only: flag('Clients on a terminal', choices(measurementKinds), {
    default: measurementKinds,
    defaultText: 'all',
    help: 'Measure these alone.',
    onlyFor: ['bench'],
  }),
  tokens: flag('Clients on a terminal', integer({ min: 8, max: 100_000 }), {
    default: 128,
    help: 'How long the answers are that are measured.',
    onlyFor: ['bench'],
  }),
  rounds: flag('Clients on a terminal', integer({ min: 1, max: 1000 }), {
    default: 3,
    help: 'How often everything is measured; the medians are shown.',
    onlyFor: ['bench'],
  }),
  print: flag('Clients on a terminal', toggle(), {
    default: false,
    help: 'Show what the agent would be started with, and start nothing.',
    onlyFor: ['launch'],
  }),
  json: flag('Clients on a terminal', toggle(), {
    default: false,
    help: 'Write JSON instead of a table.',
    onlyFor: ['doctor', 'bench'],
  }),
  seconds: flag('Clients on a terminal', integer({ min: 1, max: 600 }), {
    default: 10,
    help: 'How long to measure, about.',
    onlyFor: ['doctor'],
  }),
  hub: flag('Clients on a terminal', toggle(), {
    default: true,
    help: 'Ask whether the model hub can be reached.',
    onlyFor: ['doctor'],
  }),
} as const satisfies Record<string, Flag<unknown>>;

export type FlagName = keyof typeof flags;

type ValueOf<Row> = Row extends Flag<infer Value, infer Default> ? Value | Extract<Default, undefined> : never;

/** What the table gives for one command line: every key, defaults filled in. */
export type FlagValues = { readonly [Name in FlagName]: ValueOf<(typeof flags)[Name]> };

export function flagSpelling(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function environmentName(name: string): string {
  return `SERVE_MODEL_${flagSpelling(name).replaceAll('-', '_').toUpperCase()}`;
}
