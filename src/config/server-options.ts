// Written by test/config/server-options.test.ts out of the table of flags: UPDATE_README=1 writes it anew.
import type { ChatStorePlace } from '../contract/chats.ts';
import type { ToolServerConfig } from '../contract/server-tools.ts';
import type { FlagValues } from './flags.ts';
import type { KeyFile } from './key-file.ts';
import type { NamedModels } from './named-models.ts';

/** What `createServer()` takes: the flags in camel case. Times are seconds; members that are left out take their defaults. */
export interface ServerOptions {
  /** Token for /internal/* and for loading and unloading models; opens what a key opens too. Default: keys marked admin. */
  readonly adminToken?: FlagValues['adminToken'];
  /** Name under which the model is served; the first one is its id. Default: the file name without .gguf. */
  readonly alias?: FlagValues['alias'];
  /** Fetch images and sounds that requests name by http(s) address, from the public internet alone. Default: false. */
  readonly allowImageUrls?: FlagValues['allowImageUrls'];
  /** Host name that requests may ask for while no key is set. Default: local names and the address. */
  readonly allowedHost?: FlagValues['allowedHost'];
  /** Key that requests must carry. Default: no key is asked for. */
  readonly apiKey?: FlagValues['apiKey'];
  /** Longest sound of a request, in seconds. Default: 600. */
  readonly audioMaxSeconds?: FlagValues['audioMaxSeconds'];
  /** Repair malformed tool calls where the repair is certain. Default: true. */
  readonly autoHealToolCalls?: FlagValues['autoHealToolCalls'];
  /** Load a configured or local model when a request names it. Default: true. */
  readonly autoload?: FlagValues['autoload'];
  /** Most tokens that are evaluated in one step. Default: 512. */
  readonly batchSize?: FlagValues['batchSize'];
  /** Longest time to send the body. Seconds. Default: 60. */
  readonly bodyTimeout?: FlagValues['bodyTimeout'];
  /** Folder for what is found out once, as which threads are quickest. Default: .cache/serve-model in the user's home. */
  readonly cacheFolder?: string;
  /** Who shares prompts that were read once: the requests of one key, or all. Default: key where there are several, else server. */
  readonly cacheScope?: FlagValues['cacheScope'];
  /** Number format of the keys alone. Default: as --cache-type-kv. */
  readonly cacheTypeK?: FlagValues['cacheTypeK'];
  /** Number format of the context memory. Default: f16. */
  readonly cacheTypeKv?: FlagValues['cacheTypeKv'];
  /** Number format of the values alone. Default: as --cache-type-kv. */
  readonly cacheTypeV?: FlagValues['cacheTypeV'];
  /** Family of reasoning and tool-call markers, when the template does not tell. Default: none. */
  readonly chatFormat?: FlagValues['chatFormat'];
  /** Where chats are kept. Default: nowhere, because a program that holds the server keeps nothing unasked. */
  readonly chatStore?: ChatStorePlace;
  /** Jinja text of a chat template. Default: the model's own. */
  readonly chatTemplate?: string;
  /** Origin of web pages that may use the server. Default: local pages only. */
  readonly corsOrigin?: FlagValues['corsOrigin'];
  /** Cores that compute, as a hexadecimal mask. Default: all cores. */
  readonly cpuMask?: FlagValues['cpuMask'];
  /** Keep all experts of a mixture-of-experts model in main memory. Default: false. */
  readonly cpuMoe?: FlagValues['cpuMoe'];
  /** Context of each slot in tokens. Default: up to 32768, less where memory is short. */
  readonly ctxSize?: FlagValues['ctxSize'];
  /** Folder for what is remembered of this machine. Default: serve-model's in the user's data folder. */
  readonly dataFolder?: string;
  /** The server's tools for chats that bring none of their own: by tool, by server, or all. Default: only requests that ask for them get any. */
  readonly defaultTools?: FlagValues['defaultTools'];
  /** GPUs to use, by the names that the library gives them, such as CUDA0. Default: all. */
  readonly device?: FlagValues['device'];
  /** Speculative decoding with this small model of the same vocabulary. Default: none. */
  readonly draftModel?: FlagValues['draftModel'];
  /** After SIGTERM, how long running answers may take to finish. Seconds. Default: 50. */
  readonly drainTimeout?: FlagValues['drainTimeout'];
  /** Serve embeddings from this model beside the chat model. Default: none. */
  readonly embeddingModel?: FlagValues['embeddingModel'];
  /** Serve embeddings and reranking only. Default: false. */
  readonly embeddings?: FlagValues['embeddings'];
  /** Run each chat model in a process of its own: the server outlives a crash of the inference library. Default: false. */
  readonly engineProcess?: FlagValues['engineProcess'];
  /** Flash attention. Default: on, unless it measures worse at start. */
  readonly flashAttn?: FlagValues['flashAttn'];
  /** What to compute on. Default: auto. */
  readonly gpu?: FlagValues['gpu'];
  /** Layers of the model that go to the GPU. Default: as many as fit. */
  readonly gpuLayers?: FlagValues['gpuLayers'];
  /** Most that a model takes of each GPU, in MB. `inspect` shows what would go where on a GPU of this size. Default: what is free. */
  readonly gpuMemoryMb?: FlagValues['gpuMemoryMb'];
  /** Longest time to send the headers. Seconds. Default: 15. */
  readonly headerTimeout?: FlagValues['headerTimeout'];
  /** Address of the model hub. Default: https://huggingface.co. */
  readonly hfEndpoint?: FlagValues['hfEndpoint'];
  /** Access token of the model hub. Default: none. */
  readonly hfToken?: FlagValues['hfToken'];
  /** Address to listen on; 0.0.0.0 for all. Default: 127.0.0.1. */
  readonly host?: FlagValues['host'];
  /** Memory for images and sounds that were read and encoded, in MB: the next turn needs no second time. Default: 256. */
  readonly imageCacheMb?: FlagValues['imageCacheMb'];
  /** Largest image in points; no side may be longer than 16384. Default: 40000000. */
  readonly imageMaxPixels?: FlagValues['imageMaxPixels'];
  /** Unload a model that was not used for this long. Seconds. Default: for ever when given at start, else 5m. */
  readonly keepAlive?: FlagValues['keepAlive'];
  /** Keys with names and limits, as --api-key-file has them. Default: none. */
  readonly keyFile?: KeyFile;
  /** All slots share one pool of context memory. Default: false. */
  readonly kvUnified?: FlagValues['kvUnified'];
  /** Form of the log lines. Default: pretty. */
  readonly logFormat?: FlagValues['logFormat'];
  /** How much is logged. Default: warn. */
  readonly logLevel?: FlagValues['logLevel'];
  /** Log the text of prompts and answers. Default: false. */
  readonly logPrompts?: FlagValues['logPrompts'];
  /** Speculative decoding from the text of the prompt. Default: false. */
  readonly lookupDecoding?: FlagValues['lookupDecoding'];
  /** LoRA adapter of the model, added by SCALE (1): repeat it for several. GET /lora-adapters lists them. Default: . */
  readonly lora?: FlagValues['lora'];
  /** The GPU of a model that is not split, counted from 0. Default: 0. */
  readonly mainGpu?: FlagValues['mainGpu'];
  /** Largest request body in MB. Default: 32. */
  readonly maxBodyMb?: FlagValues['maxBodyMb'];
  /** Requests in the server at once, waiting ones included; more are answered 429. Default: no limit. */
  readonly maxInFlight?: FlagValues['maxInFlight'];
  /** Deepest nesting of a request body. Default: 256. */
  readonly maxJsonDepth?: FlagValues['maxJsonDepth'];
  /** Longest time for one answer. Seconds. Default: 600. */
  readonly maxPredictSeconds?: FlagValues['maxPredictSeconds'];
  /** Requests that may wait for a slot; more are answered 429. Default: 16 for each slot. */
  readonly maxQueue?: FlagValues['maxQueue'];
  /** Requests at once of one API key. Default: no limit. */
  readonly maxStreamsPerKey?: FlagValues['maxStreamsPerKey'];
  /** Requests may name servers of tools by URL; they are reached on the public internet alone. Default: false. */
  readonly mcpAllowUrls?: FlagValues['mcpAllowUrls'];
  /** Who may read /metrics. Default: public. */
  readonly metrics?: FlagValues['metrics'];
  /** Also show the names that inference gateways read. Default: vllm. */
  readonly metricsCompat?: FlagValues['metricsCompat'];
  /** Token for /metrics with --metrics token. Default: none. */
  readonly metricsToken?: FlagValues['metricsToken'];
  /** Keep the model in RAM: it is never swapped out. Default: false. */
  readonly mlock?: FlagValues['mlock'];
  /** Map the model file into memory instead of reading it. Default: true. */
  readonly mmap?: FlagValues['mmap'];
  /** Projector of the first model, which lets it see or hear: a file, or hf:owner/repo[:F16]. --no-mmproj: no model does. Default: one that lies beside the model. */
  readonly mmproj?: FlagValues['mmproj'];
  /** A .gguf file, a folder that holds one, or hf:owner/repo[:quant]; the same as MODEL. Default: the bundled demo model. */
  readonly model?: FlagValues['model'];
  /** Folder for downloaded models. Default: serve-model's in the user's cache folder. */
  readonly modelsDir?: string;
  /** Keep the experts of the first N layers in main memory. Default: as few as a GPU leaves over. */
  readonly nCpuMoe?: FlagValues['nCpuMoe'];
  /** Models with names and settings, as --models-file has them. Default: none. */
  readonly namedModels?: NamedModels;
  /** Open the address in the browser. Default: false. */
  readonly open?: FlagValues['open'];
  /** Where tensors go whose names fit a regular expression: CPU, or the name of a device. Default: . */
  readonly overrideTensor?: FlagValues['overrideTensor'];
  /** Slots: how many requests are generated at the same time. Default: 4, or as many as there is memory for. */
  readonly parallel?: FlagValues['parallel'];
  /** How long idle threads spin before they sleep, 0 not at all. Default: 50. */
  readonly poll?: FlagValues['poll'];
  /** Port to listen on; 0 takes a free one. Default: 8080. */
  readonly port?: FlagValues['port'];
  /** Keep prompt beginnings in this folder, over restarts. Default: memory only. */
  readonly prefixCacheDir?: FlagValues['prefixCacheDir'];
  /** Memory for prompt beginnings that may be used again, in MB. Default: 512. */
  readonly prefixCacheMb?: FlagValues['prefixCacheMb'];
  /** Priority of the threads that compute: -1 low to 3 realtime. Above 0 the system may refuse it. Default: 0. */
  readonly prio?: FlagValues['prio'];
  /** Longest wait for a slot. Seconds. Default: 60. */
  readonly queueTimeout?: FlagValues['queueTimeout'];
  /** Requests per minute of one API key. Default: no limit. */
  readonly rateLimitRpm?: FlagValues['rateLimitRpm'];
  /** Tokens per minute of one API key. Default: no limit. */
  readonly rateLimitTpm?: FlagValues['rateLimitTpm'];
  /** Keep answers of /v1/responses, in memory or in a folder. Default: nothing is kept. */
  readonly responseStore?: FlagValues['responseStore'];
  /** Base frequency of the positions. Default: the model's own. */
  readonly ropeFreqBase?: FlagValues['ropeFreqBase'];
  /** Scale of the positions: 0.5 doubles the context. Default: the model's own. */
  readonly ropeFreqScale?: FlagValues['ropeFreqScale'];
  /** How positions beyond the trained context are computed. Default: the model's own. */
  readonly ropeScaling?: FlagValues['ropeScaling'];
  /** Folder for what lives no longer than its processes. Default: serve-model's in the user's runtime folder. */
  readonly runtimeFolder?: string;
  /** How a model is spread over several GPUs. Default: layer. */
  readonly splitMode?: FlagValues['splitMode'];
  /** Certificate in PEM form: serve HTTPS. Default: none. */
  readonly sslCert?: FlagValues['sslCert'];
  /** Private key of the certificate. Default: none. */
  readonly sslKey?: FlagValues['sslKey'];
  /** Stay when the model cannot be downloaded or loaded at the start: another one can be loaded by API. Default: false. */
  readonly stay?: FlagValues['stay'];
  /** Refuse requests for model names that are not served. Without it they go to the default model. Default: false. */
  readonly strictModel?: FlagValues['strictModel'];
  /** Hold the arguments of tool calls to the tool's schema while they are generated. Default: true. */
  readonly strictTools?: FlagValues['strictTools'];
  /** Sliding windows keep every token: their conversations can go back to any point, for more memory. Default: false. */
  readonly swaFull?: FlagValues['swaFull'];
  /** Shares of the model for each GPU. Default: by free memory. */
  readonly tensorSplit?: FlagValues['tensorSplit'];
  /** Processor threads. Default: measured at start. */
  readonly threads?: FlagValues['threads'];
  /** Processor threads that read prompts. Default: as --threads. */
  readonly threadsBatch?: FlagValues['threadsBatch'];
  /** Tools that need no server of their own; fetch reads the public internet alone. Default: none. */
  readonly tool?: FlagValues['tool'];
  /** Tools that requests may offer; others are refused. Default: every tool. */
  readonly toolAllow?: FlagValues['toolAllow'];
  /** Give a call to a tool that was not offered as text. Default: true. */
  readonly toolNameCheck?: FlagValues['toolNameCheck'];
  /** Servers of tools (MCP), as --mcp-config has them. Default: none. */
  readonly toolServers?: readonly ToolServerConfig[];
  /** For whom the server's tools are run: admin, every key, or callers on this machine. Default: admin where there are keys, else local. */
  readonly toolsFor?: FlagValues['toolsFor'];
  /** Most tokens of one pass over the weights. Default: as --batch-size. */
  readonly ubatchSize?: FlagValues['ubatchSize'];
  /** Show browsers the chat page at /. Default: true. */
  readonly ui?: FlagValues['ui'];
  /** Wait at the end of the process for native code that runs, 3 s at most: without it a program that ends while a model loads may end with an abort. Default: false. */
  readonly waitAtExit?: boolean;
  /** Adds the tool web_search: a SearXNG, or an address with {query} in it that answers in the same JSON. Default: none. */
  readonly webSearchUrl?: FlagValues['webSearchUrl'];
  /** YaRN: scale of the attention. Default: the model's own. */
  readonly yarnAttnFactor?: FlagValues['yarnAttnFactor'];
  /** YaRN: where interpolation begins. Default: the model's own. */
  readonly yarnBetaFast?: FlagValues['yarnBetaFast'];
  /** YaRN: where interpolation is whole. Default: the model's own. */
  readonly yarnBetaSlow?: FlagValues['yarnBetaSlow'];
  /** YaRN: how much is extrapolated, 0 is interpolation alone. Default: the model's own. */
  readonly yarnExtFactor?: FlagValues['yarnExtFactor'];
  /** YaRN: the context before it was stretched. Default: the trained context. */
  readonly yarnOrigCtx?: FlagValues['yarnOrigCtx'];
  /** Ask nothing: take the best quantization that fits. Default: false. */
  readonly yes?: FlagValues['yes'];
}
