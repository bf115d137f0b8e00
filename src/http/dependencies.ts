import type { Caller } from '../contract/caller.ts';
import type { ChatStore } from '../contract/chats.ts';
import type { ModelControl, SlotReport } from '../contract/control.ts';
import type { HubCatalog } from '../contract/hub.ts';
import type { PageFiles } from '../contract/page-files.ts';
import type { RequestKeys } from '../contract/request.ts';
import type { CallApprovals, ToolHost, ToolsFor } from '../contract/server-tools.ts';
import type {
  AdapterService,
  Clock,
  EmbeddingService,
  GenerationService,
  ModelDirectory,
  RerankService,
  ResponseStore,
  Telemetry,
  Timers,
  TokenService,
  UsageLedger,
} from '../contract/services.ts';
import type { ThoughtAddress, ThoughtEnding } from '../contract/thoughts.ts';
import type { Keyring } from './access/keyring.ts';

/** Everything the door needs from outside. Built by main; tests hand in their own. */
export interface AppDependencies {
  readonly generation: GenerationService;
  readonly models: ModelDirectory;
  readonly embeddings: EmbeddingService;
  readonly rerank: RerankService;
  readonly tokens: TokenService;
  readonly telemetry: Telemetry;
  /** Milliseconds, monotonic. */
  readonly clock: Clock;
  readonly unixSeconds: () => number;
  readonly unixMilliseconds: () => number;
  /** Random hex, at least 16 characters. */
  readonly newId: () => string;
  readonly timers: Timers;
  /** Ends the runs that have one of these keys, and that the caller sees, early and properly; how many there were. */
  readonly cancel?: (
    keys: Pick<RequestKeys, 'cancelId' | 'sessionId' | 'answerId'>,
    caller: Pick<Caller, 'owner' | 'sees'>,
  ) => number;
  /** Ends the thought of answers that the caller sees, so that they begin with what they say. */
  readonly endThought?: (which: ThoughtAddress, caller: Pick<Caller, 'owner' | 'sees'>) => ThoughtEnding;
  /** Aborted when the server has no more time: work that is not answered by then is told so. */
  readonly stopping?: AbortSignal;
  /** Undefined: the models are fixed, and there are no routes to change them. */
  readonly control?: ModelControl;
  /** Undefined: there are no routes to look for models on the hub. */
  readonly hub?: HubCatalog;
  /** Undefined: there is no /metrics. */
  readonly metrics?: { render(): Promise<string>; readonly contentType: string };
  /** What the slots of every loaded model do. */
  readonly slots?: () => readonly { readonly model: string; readonly slots: readonly SlotReport[] }[];
  /** Absent: no model has adapters here. */
  readonly adapters?: AdapterService;
  /** Slots, queue, cache, threads, versions and what else there is to tell; for /internal/stats. */
  readonly stats?: () => Readonly<Record<string, unknown>>;
  readonly usage: UsageLedger;
  /** Undefined: answers are not kept. */
  readonly responseStore?: ResponseStore | undefined;
  /** Undefined: chats are not kept, for the reason below. */
  readonly chatStore?: ChatStore | undefined;
  /** One sentence. */
  readonly noChatStore?: string | undefined;
  /** The built guides. Undefined: `/docs` leads to the routes alone. */
  readonly guides?: PageFiles | undefined;
  /** Undefined: browsers get a small page without scripts. */
  readonly page?: PageFiles | undefined;
  /** Absent: the server runs no tools itself. */
  readonly serverTools?: { readonly host: ToolHost; readonly approvals: CallApprovals } | undefined;
  /** Of this package, for /openapi.json. */
  readonly version?: string;
  /** Who holds which key, as it is now: keys may change while the server runs. */
  readonly keyring: () => Keyring;
  readonly settings: DoorSettings;
}

/** Times in milliseconds, sizes in bytes. */
export interface DoorSettings {
  /** Foreign origins that web pages may call from; `*` for all. */
  readonly corsOrigins: readonly string[];
  /** Host header values (without port) that are taken besides local ones while no key is set; `*` for all. */
  readonly allowedHosts: readonly string[];
  /** The address that the listener was told to bind. */
  readonly boundHost: string;
  /** Tools that requests may offer; empty: all. */
  readonly toolAllow: readonly string[];
  /** For whom the server's own tools are run; undefined: admin where there are keys, else callers on this machine. */
  readonly toolsFor: ToolsFor | undefined;
  /** Which of them chats get that say nothing of tools, by name, or `all`; empty: none. */
  readonly defaultTools: readonly string[];
  /** Who shares evaluated prompts: the requests of one key, or all; undefined: of one key where there are several. */
  readonly cacheScope: 'key' | 'server' | undefined;
  readonly metrics: 'public' | 'token' | 'off';
  readonly metricsToken: string | undefined;
  /** Work in the server at once, and of one key; undefined: no limit. */
  readonly maxInFlight: number | undefined;
  readonly maxStreamsPerKey: number | undefined;
  /** Requests and tokens of one key per minute; undefined: no limit. */
  readonly rateLimitRpm: number | undefined;
  readonly rateLimitTpm: number | undefined;
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
  /** A body must have arrived after this time. */
  readonly bodyTimeoutMs: number;
  /** A comment goes out after so much silence in a stream. */
  readonly heartbeatMs: number;
  /** A reader that takes nothing for so long is cut off. */
  readonly stallTimeoutMs: number;
  /** Frames that come so soon after a write go out together with the next, see StreamOptions. */
  readonly gatherMs: number;
}

export const defaultDoorSettings: DoorSettings = {
  corsOrigins: [],
  allowedHosts: [],
  boundHost: '127.0.0.1',
  toolAllow: [],
  toolsFor: undefined,
  defaultTools: [],
  cacheScope: undefined,
  metrics: 'public',
  metricsToken: undefined,
  maxInFlight: undefined,
  maxStreamsPerKey: undefined,
  rateLimitRpm: undefined,
  rateLimitTpm: undefined,
  maxBodyBytes: 32 * 1024 * 1024,
  maxJsonDepth: 256,
  bodyTimeoutMs: 60_000,
  heartbeatMs: 10_000,
  stallTimeoutMs: 120_000,
  gatherMs: 0,
};
