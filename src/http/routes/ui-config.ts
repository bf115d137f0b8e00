import type { Caller } from '../../contract/caller.ts';
import type { ChatLimits, ChatStore } from '../../contract/chats.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { UiConfig } from '../../dialects/ui/config.ts';
import { chatsOf } from '../access/chat-access.ts';
import { mayUse } from '../access/check-access.ts';
import { mayRunTools } from '../access/server-tools.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Route } from '../route.ts';

/** What a page must know to show what its visitor can do, and nothing that ends in a 403. */
export function uiConfigRoutes(dependencies: AppDependencies): Route[] {
  return [
    {
      method: 'GET',
      paths: ['/api/ui/config'],
      shape: openaiShape,
      // A page has to find out that it must ask for a key.
      access: 'open',
      owns: 'none',
      work: false,
      pages: 'own',
      handle: ({ caller }) =>
        Response.json(uiConfig(caller, dependencies), { headers: { 'cache-control': 'no-store' } }),
    },
  ];
}

function uiConfig(caller: Caller, dependencies: AppDependencies): UiConfig {
  const { version = '0.0.0', keyring, settings, responseStore } = dependencies;
  const known = { version, key_needed: keyring().hasKeys };
  if (!mayUse('key', caller)) return known;
  const chats = chatsOf(caller, dependencies);
  return {
    ...known,
    caller: { name: caller.owner || null, local: caller.local, can: rightsOf(caller, dependencies) },
    stores: { chats: chatStoreFor(caller, chats), responses: responseStore !== undefined },
    limits: {
      body_bytes: settings.maxBodyBytes,
      json_depth: settings.maxJsonDepth,
      chats: typeof chats === 'string' ? null : chatLimits(chats.limits),
    },
    mcp: toolServers(caller, dependencies),
  };
}

/** Null: the server runs no tools, or not for this caller. */
function toolServers(caller: Caller, { serverTools, settings, keyring }: AppDependencies): UiConfig['mcp'] {
  if (!serverTools || !mayRunTools(caller, settings.toolsFor, keyring())) return null;
  return { servers: serverTools.host.report().length };
}

function rightsOf(caller: Caller, dependencies: AppDependencies) {
  return {
    change_models: dependencies.control !== undefined && mayUse('admin', caller),
    tools: toolServers(caller, dependencies) !== null,
    chat_store: typeof chatsOf(caller, dependencies) !== 'string',
  };
}

/** Paths are for those who are let near the machine: as with the list of model files. */
function chatStoreFor(caller: Caller, chats: ChatStore | string) {
  if (typeof chats === 'string') return { on: false, reason: chats } as const;
  return { on: true, folder: mayUse('admin', caller) ? chats.folder : null } as const;
}

function chatLimits({ entryBytes, fileBytes, ownerBytes, chats }: ChatLimits) {
  return { entry_bytes: entryBytes, file_bytes: fileBytes, owner_bytes: ownerBytes, chats };
}
