import type { Caller } from './caller.ts';
import type { JsonObject } from './json.ts';

/** A tool that the server runs itself, for the model and in place of the client. */
export interface ServerTool {
  /** The server of tools that has it, as the configuration calls it. */
  readonly server: string;
  /** As that server calls it. */
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject;
  /** By its own word: it changes nothing. */
  readonly readOnly: boolean;
}

/** What came of a call, as the model is to read it. */
export interface ToolOutcome {
  readonly content: string;
  /** The tool says that it failed, or it could not be run. */
  readonly isError: boolean;
  /** For a model that sees; the content has a line for each. */
  readonly images?: readonly ToolImage[];
}

export interface ToolImage {
  readonly base64: string;
  /** As `image/png`. */
  readonly mimeType: string;
}

/** Whether images of this kind are read here: others are not handed to a model. */
export function isReadableImage(mimeType: string): boolean {
  return /^image\/(png|jpeg|jpg|webp|gif|avif|tiff|bmp)$/i.test(mimeType);
}

/** The line that stands for an image among texts. */
export function imageLine({ base64, mimeType }: ToolImage): string {
  return `[an image: ${mimeType}, ${bytesOfBase64(base64)} bytes]`;
}

export function bytesOfBase64(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
}

export interface ToolCallLimits {
  /** Aborting it cancels the call at its server too. Its reason is thrown. */
  readonly signal: AbortSignal;
  /** Without a sign of progress. */
  readonly timeoutMs: number;
  /** Of a result that the model reads at most: more is cut by whoever called. */
  readonly maxCharacters: number;
}

export type ToolServerState = 'idle' | 'starting' | 'ready' | 'failed' | 'disabled';

/** What may be shown of a server of tools: no command, no address, no secrets. */
export interface ToolServerReport {
  readonly name: string;
  readonly transport: 'stdio' | 'http' | 'sse' | 'built-in';
  readonly state: ToolServerState;
  /** Why it is not ready, one sentence. */
  readonly problem?: string;
  /** Those that were seen last. */
  readonly tools: readonly ServerTool[];
}

/** Where a request says that a server is, and what that server is to be told. */
export interface GuestPlace {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A server that a request brings along, as long as its answer takes. */
export interface ToolGuest {
  /** Rejects with a sentence that says why there are none, or with the signal's reason. */
  tools(signal: AbortSignal): Promise<readonly ServerTool[]>;
  /** As that of the host. */
  call(tool: Pick<ServerTool, 'server' | 'name'>, args: JsonObject, limits: ToolCallLimits): Promise<ToolOutcome>;
  close(): Promise<void>;
}

/** The servers of tools that the configuration names, and the built-in one. */
export interface ToolHost {
  /**
   * The tools of these servers, of all where none are named; servers are started for it. One that cannot be reached has
   * none: its report says why, and where it was not named it is not waited for a second time. Names that no server has
   * are passed over.
   */
  tools(servers: readonly string[] | undefined, signal: AbortSignal): Promise<readonly ServerTool[]>;
  /** Never rejects but with the signal's reason: whatever goes wrong is an outcome that the model reads. */
  call(tool: Pick<ServerTool, 'server' | 'name'>, args: JsonObject, limits: ToolCallLimits): Promise<ToolOutcome>;
  /**
   * One that is named by its address, on the public internet, under a name that no other server has. Absent: requests may
   * bring none.
   */
  guest?(name: string, place: GuestPlace): ToolGuest;
  report(): readonly ToolServerReport[];
  /** Begins to start those that were not used yet. */
  wake(): void;
  /** Ends the server's process or connection and starts it anew. ServeError not_found: there is none of this name. */
  restart(server: string, signal: AbortSignal): Promise<ToolServerReport>;
  /** Ends all of them, their processes too. */
  close(): Promise<void>;
}

/** Which calls wait for a person: all, those of tools that do not say that they only read, or none. */
type Confirmation = 'always' | 'writes' | 'never';

/** One server whose tools a request wants, and what it wants of them. */
export interface ToolSource {
  /** Of the configuration, `built-in` among them; with `place` as the request calls it. */
  readonly server: string;
  readonly place?: GuestPlace;
  readonly offers: (tool: ServerTool) => boolean;
  /** Calls that are not run before the client has allowed them, in a request of its own. */
  readonly asks: (tool: ServerTool) => boolean;
  /** See Tool. */
  readonly loadedAt?: (tool: ServerTool) => number | undefined;
  /** In the client's words, for the model. */
  readonly description?: string;
  /** The client was told of its tools before. */
  readonly told?: boolean;
  /** Without it there is no answer; else the client is told why it has no tools. */
  readonly required?: boolean;
  /** Tools that the client named: those that are missing are told. */
  readonly named?: readonly string[];
}

/** A call of an earlier answer that the client has allowed now: it is run before the model goes on. */
export interface AllowedCall {
  /** Index of the message that is to hold its result. */
  readonly message: number;
  readonly id: string;
  readonly server: string;
  readonly name: string;
  readonly arguments: string;
  /** The question that was answered. */
  readonly allowedBy: string;
}

/** What a request wants of the server's tools. */
export interface ServerToolWish {
  /** Each server by itself; absent: the tools of all. */
  readonly sources?: readonly ToolSource[];
  /** Tools by their own name or as `server__tool`; absent: all. */
  readonly enabled?: readonly string[];
  /** Where `toolChoice` is a choice among some: these are chosen too, all of a server's where none is named. */
  readonly chosen?: readonly { readonly server: string; readonly name?: string }[];
  /** Calls of an earlier answer to begin with. */
  readonly allowedCalls?: readonly AllowedCall[];
  /** At the limit the answer ends (default), or the model answers without further calls. */
  readonly atLimit?: 'end' | 'answer';
  /** For the client. */
  readonly warnings?: readonly string[];
  /** Calls over all rounds of an answer; Infinity: no limit. At least 1. */
  readonly maxCalls: number;
  readonly callTimeoutMs: number;
  readonly confirm: Confirmation;
}

/** What there is for requests that want tools. */
export interface ToolSetup {
  /** Names of the configured servers. ServeError forbidden: they are not for this caller. */
  servers(): readonly string[];
  /** Others may be named by their address. */
  readonly urls: boolean;
}

/** Calls that wait for a person. A call that the caller does not see is not there. */
export interface CallApprovals {
  /**
   * Whether there was such a call. `always` approves this tool's later calls of the same owner too, until the server
   * ends. No two calls wait under one id.
   */
  decide(callId: string, decision: CallDecision, caller: Pick<Caller, 'sees'>): boolean;
}

export interface CallDecision {
  readonly approve: boolean;
  readonly always?: boolean;
  /** The id of the call's answer. */
  readonly answer?: string;
}

/** Tools that need no server of their own; each is switched on by name. They are those of the server `built-in`. */
export const builtInToolNames = ['time', 'calculator', 'fetch', 'web_search'] as const;
export type BuiltInToolName = (typeof builtInToolNames)[number];
export const builtInServer = 'built-in';

/** How a server of tools is reached, as its configuration says; what it holds may be secret. */
export type ToolServerPlace =
  | {
      readonly transport: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd?: string;
    }
  | {
      readonly transport: 'http' | 'sse';
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
    };

export interface ToolServerConfig {
  readonly name: string;
  readonly disabled: boolean;
  /** Undefined: the entry cannot be read, `problem` says why. */
  readonly place: ToolServerPlace | undefined;
  readonly problem?: string;
}

type NamedTool = Pick<ServerTool, 'server' | 'name'>;

/** Of the letters, and not longer, than every API and model family takes. */
export function plainToolName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, maxToolNameLength) || 'tool';
}

export const maxToolNameLength = 64;

/** `server__name`. */
export function longToolName({ server, name }: NamedTool): string {
  return plainToolName(`${server}__${name}`);
}

/** Whether a list of tools has this one, in either spelling. */
export function isCalled(tool: NamedTool, names: readonly string[]): boolean {
  return (
    names.includes(tool.name) || names.includes(`${tool.server}__${tool.name}`) || names.includes(longToolName(tool))
  );
}

/** The servers that these names can mean; undefined: any of them. */
export function serversOf(names: readonly string[], servers: readonly string[]): readonly string[] | undefined {
  const meant = names.map((name) =>
    servers.filter(
      (server) =>
        name === server || name.startsWith(longToolName({ server, name: '' })) || name.startsWith(`${server}__`),
    ),
  );
  return meant.some((each) => each.length === 0) ? undefined : [...new Set(meant.flat())];
}

/** Whether a list of names means this tool: by its own name, by both, or as one of its server's. */
export function isNamed(tool: NamedTool, names: readonly string[]): boolean {
  return names.includes(tool.server) || isCalled(tool, names);
}

/** Who may have the server run tools: `admin`, and with it whoever holds a key (`keys`), or calls from this machine (`local`). */
export type ToolsFor = 'admin' | 'keys' | 'local';
