import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type Api, apis, type PromptUsage, type Script } from './api.ts';
import { isJson, type Json } from './json.ts';
import { type Steered, steer } from './steer.ts';

export interface Exchange {
  readonly call: string;
  readonly status: number;
  readonly steered: Steered | undefined;
  readonly usage: PromptUsage | undefined;
  readonly answer: string;
}

export interface SteeringProxy {
  readonly port: number;
  /** In the order in which the answers ended. */
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

/** Stands between an agent and the server on `target`, a port of this machine, and writes down what passes. */
export async function startProxy(target: number, script: Script): Promise<SteeringProxy> {
  const exchanges: Exchange[] = [];
  const server = createServer((asked, answer) => {
    pass(target, script, asked, answer).then(
      (exchange) => exchanges.push(exchange),
      (error: unknown) => {
        exchanges.push({ ...nothing(asked), answer: String(error) });
        answer.destroy();
      },
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return {
    port: address.port,
    exchanges,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function pass(target: number, script: Script, asked: IncomingMessage, answer: ServerResponse): Promise<Exchange> {
  const sent = await bytesOf(asked);
  const path = new URL(asked.url ?? '/', 'http://agent').pathname;
  const api = asked.method === 'POST' ? apis.find((each) => each.path === path) : undefined;
  const given: unknown = api && JSON.parse(sent.toString());
  const steered = api && isJson(given) ? steer(api, given, script) : undefined;
  const body = steered ? Buffer.from(JSON.stringify(steered.body)) : sent;
  const { host, 'transfer-encoding': _, ...headers } = asked.headers;
  const options = { host: '127.0.0.1', port: target, path: asked.url, method: asked.method };
  const got = await new Promise<IncomingMessage>((resolve, reject) => {
    const onward = request({ ...options, headers: { ...headers, 'content-length': body.length } }, resolve);
    onward.on('error', reject).end(body);
    answer.on('close', () => onward.destroy());
  });
  answer.writeHead(got.statusCode ?? 502, got.headers);
  const chunks: Buffer[] = [];
  const text = () => Buffer.concat(chunks).toString();
  try {
    for await (const chunk of got) {
      chunks.push(Buffer.from(chunk));
      answer.write(chunk);
    }
  } catch (error) {
    // Codex leaves when it has read the last event, often before the connection's end has passed through here.
    const hasLeft = answer.destroyed && api !== undefined && usageIn(api, text()) !== undefined;
    if (!hasLeft) throw error;
  }
  answer.end();
  return {
    ...nothing(asked),
    status: got.statusCode ?? 0,
    steered,
    usage: api && usageIn(api, text()),
    answer: text(),
  };
}

function nothing({ method, url }: IncomingMessage): Exchange {
  return { call: `${method} ${url}`, status: 0, steered: undefined, usage: undefined, answer: '' };
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function usageIn(api: Api, stream: string): PromptUsage | undefined {
  return events(stream)
    .flatMap((event) => api.usage(event) ?? [])
    .at(-1);
}

/** The objects of a stream of server-sent events. */
function events(stream: string): readonly Json[] {
  return stream.split('\n').flatMap((line) => {
    if (!line.startsWith('data: {')) return [];
    const event: unknown = JSON.parse(line.slice('data: '.length));
    return isJson(event) ? [event] : [];
  });
}
