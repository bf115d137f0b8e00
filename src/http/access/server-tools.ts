import type { Caller } from '../../contract/caller.ts';
import { ServeError } from '../../contract/errors.ts';
import type { GenerationRequest, ToolChoice } from '../../contract/request.ts';
import type { ServerToolWish, ToolSetup, ToolsFor } from '../../contract/server-tools.ts';
import type { ParsedCall } from '../../dialects/dialect.ts';
import { serverToolDefaults } from '../../dialects/shared/server-tools.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Keyring } from './keyring.ts';
import { checkOrigin } from './origin.ts';

/** Tools act with the rights of whoever started the server, so not every caller who may generate may have them run. */
export function mayRunTools(
  caller: Pick<Caller, 'admin' | 'known' | 'local'>,
  toolsFor: ToolsFor | undefined,
  { hasKeys }: Pick<Keyring, 'hasKeys'>,
): boolean {
  if (caller.admin) return true;
  switch (toolsFor ?? (hasKeys ? 'admin' : 'local')) {
    case 'admin':
      return false;
    case 'keys':
      return hasKeys ? caller.known : caller.local;
    case 'local':
      return caller.local && caller.known;
    default:
      return false;
  }
}

type ToolDependencies = Pick<AppDependencies, 'settings' | 'keyring' | 'serverTools'>;

/** Throws `forbidden` unless the caller, and the page that it may be, may have tools run. */
export function checkToolCaller({ caller, request }: Exchange, { settings, keyring }: ToolDependencies): void {
  const { hasKeys } = keyring();
  if (!mayRunTools(caller, settings.toolsFor, keyring()))
    throw new ServeError(
      'forbidden',
      'Tools of this server are not run for this caller. --tools-for says for whom they are.',
      {
        param: 'enable_tools',
      },
    );
  // Some other page of this machine must not act through them.
  checkOrigin(request, { ...settings, hasKeys, needsHost: false, pages: 'own' });
}

/** What of the server's tools a call gets. */
export interface GrantedTools {
  readonly wish: ServerToolWish;
  /** It asks for them itself; else it has the server's default. */
  readonly asked: boolean;
}

type ToolCaller = Pick<ParsedCall, 'generations' | 'serverTools' | 'withoutWordsForTools'>;

/** What it asks for and may have, or the server's default where it says nothing. */
export function serverToolsFor(
  call: ToolCaller,
  exchange: Exchange,
  dependencies: ToolDependencies,
): GrantedTools | undefined {
  const setup = toolSetup(exchange, dependencies);
  const wish = call.serverTools?.(setup);
  if (!setup || wish === 'off') return undefined;
  if (wish !== undefined) {
    checkToolCaller(exchange, dependencies);
    return { wish, asked: true };
  }
  const { defaultTools } = dependencies.settings;
  if (defaultTools.length === 0 || !bringsNone(call) || !isTrusted(exchange, dependencies)) return undefined;
  return {
    wish: defaultTools.includes('all') ? serverToolDefaults : { ...serverToolDefaults, enabled: defaultTools },
    asked: false,
  };
}

/** Whoever may not have tools run is told that, and nothing of what there is. */
function toolSetup(exchange: Exchange, dependencies: ToolDependencies): ToolSetup | undefined {
  const { serverTools } = dependencies;
  return (
    serverTools && {
      urls: serverTools.host.guest !== undefined,
      servers: () => {
        checkToolCaller(exchange, dependencies);
        return serverTools.host.report().map(({ name }) => name);
      },
    }
  );
}

/** A chat without tools of its own, which has not said that it wants none. */
function bringsNone({ generations, withoutWordsForTools = false }: ToolCaller): boolean {
  const isOpen = (choice: ToolChoice) => withoutWordsForTools || choice.type !== 'none';
  // A raw prompt is read as it is: there is no template that could tell the model of tools.
  return generations.every(
    ({ prompt }) => prompt.type === 'chat' && prompt.tools.length === 0 && isOpen(prompt.toolChoice),
  );
}

/** The request with the tools that it gets. */
export function withGranted(request: GenerationRequest, granted: GrantedTools | undefined): GenerationRequest {
  if (!granted) return request;
  const { prompt } = request;
  const serverTools = granted.wish;
  if (granted.asked || prompt.type !== 'chat') return { ...request, serverTools };
  return { ...request, serverTools, prompt: { ...prompt, toolChoice: { type: 'auto' } } };
}

/** Whoever may not have them is answered as if there were none: it has not asked for them. */
function isTrusted(exchange: Exchange, dependencies: ToolDependencies): boolean {
  try {
    checkToolCaller(exchange, dependencies);
    return true;
  } catch {
    return false;
  }
}
