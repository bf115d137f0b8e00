import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { FetchLike, Transport } from '@modelcontextprotocol/client';
import type { ToolServerPlace } from '../contract/server-tools.ts';
import { untilAborted } from '../contract/signals.ts';

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

export async function openTransport({ place, onLine, fetch = globalThis.fetch }: TransportOptions): Promise<Transport> {
  const opened: { transport?: Transport } = {};
  const counted = bounded(fetch, () => void opened.transport?.close().catch(() => undefined));
  switch (place.transport) {
    case 'stdio':
      return openProcess(place, onLine);
    case 'http': {
      const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
      const { headers } = place;
      const options = { requestInit: { headers }, fetch: counted };
      opened.transport = endsItsSession(new StreamableHTTPClientTransport(new URL(place.url), options));
      return opened.transport;
    }
    case 'sse': {
      const { SSEClientTransport } = await import('@modelcontextprotocol/client');
      const options = { requestInit: { headers: place.headers }, fetch: counted };
      opened.transport = new SSEClientTransport(new URL(place.url), options);
      return opened.transport;
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

/**
 * What the SDK holds at once is counted on its way: an answer in one piece, and of a stream of events each event. Where it
 * is too much the connection ends.
 */
function bounded(fetch: FetchLike, tooLarge: () => void): FetchLike {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (!response.body) return response;
    const isStream = /event-stream/i.test(response.headers.get('content-type') ?? '');
    const held = isStream ? new EventBytes() : new AllBytes();
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          if (held.add(chunk) <= maxAnswerBytes) {
            controller.enqueue(chunk);
            return;
          }
          controller.error(new Error(`The answer is larger than ${maxAnswerBytes} bytes.`));
          tooLarge();
        },
      }),
    );
    return new Response(counted, response);
  };
}

class AllBytes {
  #bytes = 0;

  add(chunk: Uint8Array): number {
    this.#bytes += chunk.length;
    return this.#bytes;
  }
}

const [lineFeed, carriageReturn] = [0x0a, 0x0d];

/** Of the event that is not whole yet: an empty line ends it (HTML 9.2.6). */
class EventBytes {
  #bytes = 0;
  #last = lineFeed;
  #lineIsEmpty = true;

  add(chunk: Uint8Array): number {
    for (const byte of chunk) {
      const isSecondHalf = byte === lineFeed && this.#last === carriageReturn;
      this.#last = byte;
      this.#bytes++;
      if (isSecondHalf) continue;
      const endsLine = byte === lineFeed || byte === carriageReturn;
      if (endsLine && this.#lineIsEmpty) this.#bytes = 0;
      this.#lineIsEmpty = endsLine;
    }
    return this.#bytes;
  }
}
