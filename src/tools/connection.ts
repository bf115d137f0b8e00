import type { Client, FetchLike, Tool as WireTool } from '@modelcontextprotocol/client';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { ServerTool, ToolOutcome, ToolServerPlace } from '../contract/server-tools.ts';
import { untilAborted } from '../contract/signals.ts';
import { CallFailure } from './call-failure.ts';
import { callResult, readResult } from './result-text.ts';
import { openTransport } from './transports.ts';

export interface ConnectionOptions {
  readonly server: string;
  readonly place: ToolServerPlace;
  /** Of this package. */
  readonly version: string;
  readonly connectMs: number;
  /** Ends the attempt; a connection that is there ends by its `close`. */
  readonly signal: AbortSignal;
  /** See openTransport. */
  readonly fetch?: FetchLike;
  /** A line that the server's process wrote for people. */
  onLine(line: string): void;
  onTools(tools: readonly ServerTool[]): void;
  /** The connection is gone, whoever ended it. Called once. */
  onClosed(): void;
}

export interface Connection {
  readonly tools: readonly ServerTool[];
  /** Rejects with the signal's reason, with CallFailure, or with what the protocol says. */
  call(
    name: string,
    args: JsonObject,
    limits: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<ToolOutcome>;
  /** Ends the process too. */
  close(): Promise<void>;
}

/** A server has this many tools at most; no model can read more. */
const maxTools = 500;

/**
 * Starts or reaches a server and lists its tools. The SDK is loaded here, when the first server is used. Nothing is offered
 * to the server: no roots, no sampling, no questions to the user.
 */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const { Client, SdkError, SdkErrorCode } = await import('@modelcontextprotocol/client');
  const { server, version, connectMs, signal: unwanted } = options;
  const client = new Client(
    { name: 'serve-model', version },
    {
      listChanged: {
        tools: {
          debounceMs: 50,
          onChanged: (error, tools) => {
            if (!error && tools) options.onTools(toServerTools(server, tools));
          },
        },
      },
    },
  );
  let closed = false;
  client.onclose = () => {
    if (closed) return;
    closed = true;
    // Lets go of what is left of it.
    client.close().catch(() => undefined);
    options.onClosed();
  };
  try {
    const tools = await inTime(unwanted, connectMs, async () => {
      await client.connect(await openTransport(options), { timeout: connectMs });
      return listTools(client, server, connectMs);
    });
    return {
      tools,
      call: (name, args, { signal, timeoutMs }) => {
        signal.throwIfAborted();
        return callTool(client, { name, args, signal, timeoutMs }).catch((error: unknown) => {
          signal.throwIfAborted();
          if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout)
            throw new CallFailure(`The tool gave no sign of life for ${timeoutMs / 1000} s and was given up.`);
          if (closed) throw new CallFailure("The tool's server ended while it worked.");
          throw error;
        });
      },
      close: () => client.close(),
    };
  } catch (error) {
    closed = true;
    await client.close().catch(() => undefined);
    throw error;
  }
}

/** Not every wait of the SDK has an end: a server may take a connection and say nothing. */
async function inTime<Result>(signal: AbortSignal, milliseconds: number, work: () => Promise<Result>): Promise<Result> {
  signal.throwIfAborted();
  const timeUp = AbortSignal.timeout(milliseconds);
  try {
    return await untilAborted(work(), AbortSignal.any([signal, timeUp]));
  } catch (error) {
    throw timeUp.aborted && !signal.aborted ? new Error(`it said nothing for ${milliseconds / 1000} s`) : error;
  }
}

async function listTools(client: Client, server: string, timeout: number): Promise<readonly ServerTool[]> {
  if (!client.getServerCapabilities()?.tools) return [];
  return toServerTools(server, (await client.listTools(undefined, { timeout, cacheMode: 'refresh' })).tools);
}

interface Call {
  readonly name: string;
  readonly args: JsonObject;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

async function callTool(client: Client, { name, args, signal, timeoutMs }: Call): Promise<ToolOutcome> {
  const request = { method: 'tools/call', params: { name, arguments: { ...args } } };
  const result = await client.request(request, callResult, {
    signal,
    timeout: timeoutMs,
    resetTimeoutOnProgress: true,
    // Only who listens for progress is told of it.
    onprogress: () => undefined,
  });
  return readResult(result);
}

function toServerTools(server: string, tools: readonly WireTool[]): ServerTool[] {
  return tools.slice(0, maxTools).map(({ name, description, inputSchema, annotations }) => ({
    server,
    name,
    ...(description !== undefined && { description }),
    parameters: toJsonObject(inputSchema),
    readOnly: annotations?.readOnlyHint === true,
  }));
}

/** What came as JSON is JSON; the copy makes it one for the compiler. */
function toJsonObject(schema: unknown): JsonObject {
  const copy: unknown = JSON.parse(JSON.stringify(schema));
  return isJsonObject(copy) ? copy : { type: 'object' };
}
