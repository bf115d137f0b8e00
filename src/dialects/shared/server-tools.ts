import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import type { CallBlock, FinishReason, ToolResultEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { GuestPlace, ServerToolWish, ToolSetup, ToolSource } from '../../contract/server-tools.ts';
import { defined } from './defined.ts';
import { optional, rule, show, validate } from './validate.ts';

/** More than a server has tools: each is looked for among all of them. */
export const mostToolNames = 1000;
/** Tools by their names. */
export const toolNames = z.array(z.string()).max(mostToolNames);

/** Of each tool something, by its name. */
export function byToolName<Value extends z.ZodType>(value: Value) {
  return rule(
    z.record(z.string(), value),
    (named) => Object.keys(named).length <= mostToolNames,
    `an object of at most ${mostToolNames} members`,
  );
}

/** Unsloth Studio's fields, and one of our own, for tools that the server runs. */
const serverToolFields = z.object({
  enable_tools: optional(z.boolean()),
  enabled_tools: optional(z.array(z.string().max(256)).max(mostToolNames)),
  max_tool_calls_per_message: optional(z.int().min(0)),
  /** Seconds. */
  tool_call_timeout: optional(z.number().positive().max(86_400)),
  confirm_tools: optional(z.enum(['always', 'writes', 'never'])),
});

/** This many calls, and more, are no limit. */
const noLimit = 9999;

export const serverToolDefaults = {
  maxCalls: 25,
  callTimeoutMs: 300_000,
  confirm: 'never',
  // A client that knows nothing of a limit is left without an answer by it.
  atLimit: 'answer',
} as const satisfies ServerToolWish;

export interface ToolFields {
  /** The request says itself that it wants none. */
  readonly off: boolean;
  /** It asks for all that the server has, or those that it names. */
  readonly asked: boolean;
  readonly wish: ServerToolWish;
}

export function readToolFields(wire: unknown): ToolFields {
  const fields = validate(serverToolFields, wire);
  const { enable_tools, enabled_tools, max_tool_calls_per_message: maxCalls = serverToolDefaults.maxCalls } = fields;
  const { tool_call_timeout: seconds } = fields;
  return {
    off: enable_tools === false || maxCalls === 0,
    asked: enable_tools === true,
    wish: defined({
      enabled: enabled_tools,
      maxCalls: maxCalls >= noLimit ? Number.POSITIVE_INFINITY : maxCalls,
      callTimeoutMs: seconds === undefined ? serverToolDefaults.callTimeoutMs : seconds * 1000,
      confirm: fields.confirm_tools ?? serverToolDefaults.confirm,
    }),
  };
}

/** `off` where the request says so itself; undefined where it says nothing. */
export function readServerTools(wire: unknown): ServerToolWish | 'off' | undefined {
  const { off, asked, wish } = readToolFields(wire);
  if (off) return 'off';
  return asked ? { ...wish, atLimit: serverToolDefaults.atLimit } : undefined;
}

/** A dialect that shows no call that waits for a person cannot hold an answer for it. */
export function refuseConfirmation({ confirm }: ServerToolWish, instead: string): void {
  if (confirm === 'never') return;
  throw new ServeError('invalid_request', `\`confirm_tools\` is a field of chat completions. ${instead}`, {
    param: 'confirm_tools',
  });
}

interface NamedServer {
  readonly name: string;
  /** The field that names it. */
  readonly param: string;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Where a server is that a request names. A name of the configuration means that server: what the request says of its
 * place is not used. Undefined: so it is.
 */
export function placeOf({ name, param, url, headers }: NamedServer, setup: ToolSetup): GuestPlace | undefined {
  const known = setup.servers();
  if (known.includes(name)) return undefined;
  if (url !== undefined && setup.urls) {
    if (URL.canParse(url)) return { url, headers };
    throw new ServeError(
      'invalid_request',
      `\`${param}\` has ${JSON.stringify(name)} at ${show(url)}, which is no URL.`,
      {
        param,
      },
    );
  }
  const instead = url === undefined ? '' : ' Servers of requests are reached with --mcp-allow-urls only.';
  throw new ServeError(
    'invalid_request',
    `\`${param}\` names the server of tools ${JSON.stringify(name)}, which is not configured here. There are: ${known.join(', ') || 'none'}.${instead}`,
    { param },
  );
}

const mostGuests = 10;

/** Each is a connection of its own. */
export function refuseManyGuests(sources: readonly ToolSource[]): void {
  const guests = sources.filter(({ place }) => place !== undefined).length;
  if (guests > mostGuests)
    throw new ServeError(
      'invalid_request',
      `${guests} servers of tools are named by URL; at most ${mostGuests} may be.`,
    );
}

/** An answer that ended after calls of the server's alone leaves its client nothing to run. */
export function shownReason(reason: FinishReason, clientCalls: number): FinishReason {
  return reason === 'tool-calls' && clientCalls === 0 ? 'stop' : reason;
}

export type ServerToolState = 'called' | 'running' | 'asks' | 'done' | 'failed' | 'denied';

/** How a call that the server ran ended. */
export function endState({ isError, denied }: Pick<ToolResultEvent, 'isError' | 'denied'>): ServerToolState {
  if (denied) return 'denied';
  return isError ? 'failed' : 'done';
}

/** A call that the server ran, as whole answers show it. */
export function serverToolOf({ id, server, name, arguments: written, result }: CallBlock): JsonObject {
  return {
    id,
    server,
    name,
    arguments: written,
    state: result ? endState(result) : 'called',
    ...(result && { result: result.content, ms: result.ms }),
  };
}
