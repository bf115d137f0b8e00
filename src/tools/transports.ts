import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { FetchLike, Transport } from '@modelcontextprotocol/client';
import type { ToolServerPlace } from '../contract/server-tools.ts';
import { untilAborted } from '../contract/until-aborted.ts';

/** What a tool may answer at most, in bytes: more ends the connection. */
const maxAnswerBytes = 10 * 1024 * 1024;

/** Lines for people are cut here. */
const maxLineLength = 2000;

export interface TransportOptions {
  readonly place: ToolServerPlace;
  onLine(line: string): void;
  /** By which servers are reached; absent: as the machine reaches them. */
  readonly fetch?: FetchLike;
}

export async function openTransport({ place, onLine, fetch }: TransportOptions): Promise<Transport> {
  switch (place.transport) {
    case 'stdio':
      return openProcess(place, onLine);
    case 'http': {
      const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
      const { headers } = place;
      const options = { requestInit: { headers }, fetch: bounded(fetch ?? globalThis.fetch) };
      return endsItsSession(new StreamableHTTPClientTransport(new URL(place.url), options));
    }
    case 'sse': {
      const { SSEClientTransport } = await import('@modelcontextprotocol/client');
      const options = { requestInit: { headers: place.headers }, ...(fetch && { fetch }) };
      return new SSEClientTransport(new URL(place.url), options);
    }
    default:
      return place satisfies never;
  }
}

async function openProcess(
  { command, args, env, cwd }: Extract<ToolServerPlace, { transport: 'stdio' }>,
  onLine: (line: string) => void,
): Promise<Transport> {
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...env },
    stderr: 'pipe',
    maxBufferSize: maxAnswerBytes,
    ...(cwd !== undefined && { cwd }),
  });
  const lines = transport.stderr;
  if (lines && isReadable(lines)) {
    const reader = createInterface({ input: lines, crlfDelay: Number.POSITIVE_INFINITY });
    reader.on('line', (line) => {
      if (line.trim() !== '') onLine(line.slice(0, maxLineLength));
    });
  }
  return endsWithUs(transport);
}

function isReadable(stream: object): stream is Readable {
  return 'read' in stream && typeof stream.read === 'function';
}

/** Processes that run now. */
const running = new Set<StartedProcess>();

interface StartedProcess extends Transport {
  readonly pid: number | null;
}

/** A process that ends without closing its connections (a second Ctrl-C, a crash) takes its servers along. */
function endsWithUs<Started extends StartedProcess>(transport: Started): Started {
  if (running.size === 0) process.once('exit', endAll);
  running.add(transport);
  const close = transport.close.bind(transport);
  transport.close = async () => {
    running.delete(transport);
    if (running.size === 0) process.off('exit', endAll);
    await close();
  };
  return transport;
}

function endAll(): void {
  for (const { pid } of running) {
    try {
      if (pid !== null) process.kill(pid, 'SIGTERM');
    } catch {
      // It has ended by itself.
    }
  }
}

/** So long a server may take to let go of a session. */
const farewellMs = 2000;

/** The server is told, so that it keeps nothing of a client that is gone. */
function endsItsSession<Opened extends Transport & { terminateSession(): Promise<void> }>(transport: Opened): Opened {
  const close = transport.close.bind(transport);
  transport.close = async () => {
    await untilAborted(transport.terminateSession(), AbortSignal.timeout(farewellMs)).catch(() => undefined);
    await close();
  };
  return transport;
}

/** An answer in one piece is read whole by the SDK: it is counted on its way. Streams of events are read one by one. */
const bounded =
  (fetch: FetchLike): FetchLike =>
  async (url, init) => {
    const response = await fetch(url, init);
    if (!response.body || !/json/i.test(response.headers.get('content-type') ?? '')) return response;
    let bytes = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          bytes += chunk.length;
          if (bytes > maxAnswerBytes) controller.error(new Error(`The answer is larger than ${maxAnswerBytes} bytes.`));
          else controller.enqueue(chunk);
        },
      }),
    );
    return new Response(counted, response);
  };
