import { ServeError } from '../../contract/errors.ts';
import type { ServerToolWish, ToolSetup } from '../../contract/server-tools.ts';
import { defined } from '../shared/defined.ts';
import { placeOf, readToolFields, refuseConfirmation, refuseManyGuests } from '../shared/server-tools.ts';
import type { ResponsesBody } from './body.ts';
import { type McpTool, toSource } from './mcp-tools.ts';
import type { Conversation } from './messages.ts';
import { chosenServerTools } from './tool-choice.ts';
import type { ToolSet } from './tools.ts';

interface Asked {
  readonly request: ResponsesBody;
  readonly body: unknown;
  readonly toolSet: ToolSet;
  readonly conversation: Conversation;
}

/** What a request wants of the tools that this server runs: those of its `mcp` entries. */
export function toWish(
  { request, body, toolSet, conversation }: Asked,
  setup: ToolSetup,
): ServerToolWish | 'off' | undefined {
  const { off, asked, wish } = readToolFields(body);
  const maxCalls = request.max_tool_calls;
  if (off || maxCalls === 0) return 'off';
  refuseConfirmation(wish, 'Here `require_approval` of an `mcp` tool asks for it.');
  if (maxCalls !== undefined && maxCalls < 0)
    throw new ServeError('invalid_request', `\`max_tool_calls\` is ${maxCalls}, but must be at least 0.`, {
      param: 'max_tool_calls',
    });
  const { servers } = toolSet;
  const allowedCalls = conversation.allowedCalls();
  const homeless = allowedCalls.find(({ server }) => !servers.has(server));
  if (homeless)
    throw new ServeError(
      'invalid_request',
      `A call of ${JSON.stringify(homeless.server)} was approved, but \`tools\` has no such server. Send it with each request.`,
      { param: 'tools' },
    );
  if (servers.size === 0) return asked ? { ...wish, ...limitsOf(maxCalls) } : undefined;
  const sources = [...servers.values()].map((server) =>
    toSource(server, {
      told: conversation.listed.has(server.server_label),
      place: placeOf(
        { name: server.server_label, param: 'tools', url: server.server_url, headers: headersOf(server) },
        setup,
      ),
    }),
  );
  refuseManyGuests(sources);
  const configured = sources.filter(({ place }) => place === undefined).map(({ server }) => server);
  return defined({
    ...wish,
    ...limitsOf(maxCalls),
    sources,
    chosen: chosenServerTools(request.tool_choice),
    allowedCalls,
    warnings: [...servers.values()].flatMap((server) =>
      configured.includes(server.server_label) ? unusedSecrets(server) : [],
    ),
  });
}

/** OpenAI's rule: calls beyond the limit are ignored, the answer goes on. */
function limitsOf(maxCalls: number | undefined): Partial<ServerToolWish> {
  return { atLimit: 'answer', ...(maxCalls !== undefined && { maxCalls }) };
}

/** What the client has for that server, and nothing of anybody else. */
function headersOf({ headers = {}, authorization }: McpTool): Readonly<Record<string, string>> {
  return authorization === undefined ? headers : { ...headers, authorization: `Bearer ${authorization}` };
}

/** A configured server is reached as its configuration says. */
function unusedSecrets({ server_label, headers, authorization }: McpTool): string[] {
  const sent = [...(headers ? ['headers'] : []), ...(authorization === undefined ? [] : ['authorization'])];
  return sent.map(
    (member) => `The ${member} for ${server_label} were not used: that server is one of the configuration.`,
  );
}
