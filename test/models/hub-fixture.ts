import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a hub can do wrong. */
export interface HubTrouble {
  /** Without this token everything is 401. */
  readonly token?: string;
  /** How many answers with file content break off in the middle. */
  cuts?: number;
  /** The listing tells another checksum. */
  readonly wrongSum?: boolean;
  /** Bytes that arrive differ from those listed, in length. */
  readonly short?: boolean;
  /** File content stops here and the connection stays open. */
  readonly stallAfter?: number;
  readonly noRanges?: boolean;
  /** The listing comes in pages of one file. */
  readonly pages?: boolean;
  /** The second half of a file comes when this settles. */
  readonly held?: Promise<unknown>;
  /** File content comes this slowly, in bytes per 10 ms. */
  readonly slow?: number;
}

export interface HubFixture {
  readonly endpoint: string;
  /** `GET /path`, with the range where one was asked for. */
  readonly requests: readonly string[];
  trouble: HubTrouble;
  close(): Promise<void>;
}

/** A hub with one repository, owner/repo. `files`: path -> bytes. */
export async function startHub(
  files: Readonly<Record<string, Uint8Array>>,
  trouble: HubTrouble = {},
): Promise<HubFixture> {
  const requests: string[] = [];
  const fixture = { endpoint: '', requests, trouble, close: () => closeServer(server) };
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    answer(request, response, { files, trouble: fixture.trouble, endpoint: fixture.endpoint });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  fixture.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fixture;
}

interface Scene {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly trouble: HubTrouble;
  readonly endpoint: string;
}

function answer(request: IncomingMessage, response: ServerResponse, scene: Scene): void {
  const { trouble, files, endpoint } = scene;
  const url = new URL(request.url ?? '/', endpoint);
  if (trouble.token !== undefined && request.headers.authorization !== `Bearer ${trouble.token}`) {
    response.writeHead(401).end('{"error":"Invalid credentials"}');
    return;
  }
  if (url.pathname === '/api/models/owner/repo/tree/main') {
    sendTree(url, response, scene);
    return;
  }
  if (url.pathname === '/api/models') {
    sendFound(url, response);
    return;
  }
  const path = decodeURIComponent(url.pathname.replace('/owner/repo/resolve/main/', ''));
  const bytes = files[path];
  if (bytes)
    sendFile(request, response, { bytes: trouble.short ? bytes.subarray(0, bytes.length - 8) : bytes, trouble });
  else response.writeHead(404).end('{"error":"not found"}');
}

/** One repository that can be loaded, and what a hub may answer besides. */
function sendFound(url: URL, response: ServerResponse): void {
  const asked = ['search', 'filter', 'sort', 'direction'].map((name) => url.searchParams.get(name)).join(' ');
  const found = [
    { id: 'owner/repo', downloads: 1200, likes: 7, lastModified: '2026-01-02T03:04:05.000Z', gated: false },
    { id: 'owner/gated', gated: 'manual', asked },
    { id: 'no-owner', downloads: 5 },
    { id: '../../escape', downloads: 5 },
    'nothing',
  ];
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found));
}

function sendTree(url: URL, response: ServerResponse, { files, trouble, endpoint }: Scene): void {
  const entries = Object.entries(files).map(([path, bytes]) => ({
    type: 'file',
    path,
    size: bytes.length,
    lfs: {
      oid: trouble.wrongSum ? '0'.repeat(64) : createHash('sha256').update(bytes).digest('hex'),
      size: bytes.length,
    },
  }));
  const page = Number(url.searchParams.get('cursor') ?? 0);
  const more = trouble.pages && page + 1 < entries.length;
  const link = `<${endpoint}${url.pathname}?recursive=1&cursor=${page + 1}>; rel="next"`;
  response.writeHead(200, { 'content-type': 'application/json', ...(more && { link }) });
  response.end(JSON.stringify(trouble.pages ? entries.slice(page, page + 1) : entries));
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, trouble }: { readonly bytes: Uint8Array; readonly trouble: HubTrouble },
): void {
  const range = trouble.noRanges ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = Number(range?.[1] ?? 0);
  const end = range?.[2] ? Math.min(bytes.length, Number(range[2]) + 1) : bytes.length;
  response.writeHead(range ? 206 : 200, {
    'content-length': end - start,
    ...(!trouble.noRanges && { 'accept-ranges': 'bytes' }),
    ...(range && { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` }),
  });
  const body = bytes.subarray(start, end);
  if ((trouble.cuts ?? 0) > 0 && range) {
    trouble.cuts = (trouble.cuts ?? 0) - 1;
    response.write(body.subarray(0, body.length >> 1), () => response.destroy());
  } else if (trouble.stallAfter !== undefined) response.write(body.subarray(0, trouble.stallAfter));
  else if (trouble.held !== undefined) {
    response.write(body.subarray(0, body.length >> 1));
    void trouble.held.then(() => response.end(body.subarray(body.length >> 1)));
  } else if (trouble.slow !== undefined) drip(response, body, trouble.slow);
  else response.end(body);
}

function drip(response: ServerResponse, body: Uint8Array, piece: number): void {
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(sent, sent + piece));
    sent += piece;
    if (sent < body.length) return;
    clearInterval(timer);
    response.end();
  }, 10);
  response.on('close', () => clearInterval(timer));
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
