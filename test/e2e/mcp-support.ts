import type { ToolServerConfig } from '../../src/contract/server-tools.ts';
import { everythingServer, type HttpServerProcess, startEverythingOverHttp } from '../support/everything-server.ts';

export interface ToolServers {
  /** What --mcp-config would say: `local` over stdio, `web` over HTTP. */
  readonly toolServers: readonly ToolServerConfig[];
  readonly http: HttpServerProcess;
  close(): Promise<void>;
}

/** A real server of tools, twice. */
export async function startToolServers(): Promise<ToolServers> {
  const http = await startEverythingOverHttp('streamableHttp');
  const local = { transport: 'stdio', command: process.execPath, args: [everythingServer, 'stdio'], env: {} } as const;
  const web = { transport: 'http', url: http.url, headers: {} } as const;
  return {
    toolServers: [
      { name: 'local', disabled: false, place: local },
      { name: 'web', disabled: false, place: web },
    ],
    http,
    close: () => http.close(),
  };
}
