import type { JsonObject } from '../contract/json.ts';
import type { PublicWeb } from '../contract/public-web.ts';
import {
  type GuestPlace,
  isNamed,
  type ServerTool,
  type ToolCallLimits,
  type ToolGuest,
  type ToolHost,
  type ToolOutcome,
  type ToolServerConfig,
  type ToolServerReport,
} from '../contract/server-tools.ts';
import type { Clock, Telemetry } from '../contract/services.ts';
import { untilAborted } from '../contract/signals.ts';
import { CallFailure } from './call-failure.ts';
import { ConfiguredServer, noSuchServer, type ServerDependencies } from './configured-server.ts';
import { connect } from './connection.ts';
import { fetchThrough } from './guarded-fetch.ts';
import { hideSecrets } from './secrets.ts';

export interface ToolHostOptions {
  readonly servers: readonly ToolServerConfig[];
  /** Absent: none of the built-in ones is wanted. */
  readonly builtIn?: ToolServer;
  /** By name, see isNamed; empty: all. */
  readonly toolAllow: readonly string[];
  /** Over which servers are reached that requests bring along; absent: they may bring none. */
  readonly web?: PublicWeb | undefined;
  readonly clock: Clock;
  readonly log: Telemetry['log'];
  readonly version: string;
}

/** What a host has of each server, whether it is configured or built in. */
export type ToolServer = Pick<ConfiguredServer, 'name' | 'report' | 'tools' | 'call' | 'restart' | 'close'>;

export function createToolHost({
  servers: configs,
  builtIn,
  toolAllow,
  web,
  clock,
  log,
  version,
}: ToolHostOptions): ToolHost {
  const hide = hideSecrets(configs);
  const dependencies = { connect, clock, log, version, hide };
  const configured = configs.map((config) => new ConfiguredServer(config, dependencies));
  const servers: readonly ToolServer[] = [...configured, ...(builtIn ? [builtIn] : [])];
  const isAllowed = (tool: Pick<ServerTool, 'server' | 'name'>) => toolAllow.length === 0 || isNamed(tool, toolAllow);
  const allowedOf = (report: ToolServerReport) => ({ ...report, tools: report.tools.filter(isAllowed) });
  return {
    async tools(wanted, signal) {
      const asked = wanted ? servers.filter(({ name }) => wanted.includes(name)) : servers;
      // Each says in its report why it has none. One that hangs does not hold up whoever did not name it.
      const found = asked.map((server) => server.tools({ patient: wanted !== undefined }).catch(() => []));
      return (await untilAborted(Promise.all(found), signal)).flat().filter(isAllowed);
    },
    async call(tool, args, limits) {
      const server = servers.find(({ name }) => name === tool.server);
      if (!server || !isAllowed(tool)) return notThere;
      return callServer(server, tool, args, { limits, hide, log });
    },
    ...(web && { guest: (name, place) => createGuest({ name, place, web, isAllowed, dependencies }) }),
    report: () => servers.map((server) => allowedOf(server.report())),
    wake() {
      for (const server of servers) if (server.report().state === 'idle') server.tools().catch(() => undefined);
    },
    async restart(name, signal) {
      const server = servers.find((each) => each.name === name);
      if (!server)
        throw noSuchServer(
          name,
          servers.map((each) => each.name),
        );
      return allowedOf(await untilAborted(server.restart(), signal));
    },
    async close() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

type NamedTool = Pick<ServerTool, 'server' | 'name'>;

interface CallOptions {
  readonly limits: ToolCallLimits;
  readonly hide: (text: string) => string;
  readonly log: Telemetry['log'];
}

/** Whatever goes wrong is an outcome. */
async function callServer(
  server: Pick<ToolServer, 'call'>,
  tool: NamedTool,
  args: JsonObject,
  { limits, hide, log }: CallOptions,
): Promise<ToolOutcome> {
  try {
    const outcome = await server.call(tool.name, args, limits);
    return { ...outcome, content: hide(outcome.content) };
  } catch (error) {
    limits.signal.throwIfAborted();
    if (!(error instanceof CallFailure))
      log('debug', `a call of ${tool.server} failed`, { error: hide(String(error)) });
    return { content: hide(error instanceof Error ? error.message : String(error)), isError: true };
  }
}

interface GuestOptions {
  readonly name: string;
  readonly place: GuestPlace;
  readonly web: PublicWeb;
  readonly isAllowed: (tool: NamedTool) => boolean;
  readonly dependencies: ServerDependencies;
}

/** Addresses that end so speak the older of the two forms. */
const sseEnd = /\/sse\/?$/;

function createGuest({ name, place, web, isAllowed, dependencies }: GuestOptions): ToolGuest {
  const { pathname } = URL.canParse(place.url) ? new URL(place.url) : { pathname: '' };
  const transport = sseEnd.test(pathname) ? 'sse' : 'http';
  const config = { name, disabled: false, place: { transport, ...place } } as const;
  const hide = hideSecrets([config]);
  const fetch = fetchThrough(web);
  const server = new ConfiguredServer(config, {
    ...dependencies,
    hide,
    connect: (options) => dependencies.connect({ ...options, fetch }),
  });
  return {
    tools: async (signal) => (await untilAborted(server.tools(), signal)).filter(isAllowed),
    call: async (tool, args, limits) =>
      isAllowed(tool) ? callServer(server, tool, args, { limits, hide, log: dependencies.log }) : notThere,
    close: () => server.close(),
  };
}

const notThere: ToolOutcome = { content: 'There is no such tool any more.', isError: true };
