import { z } from 'zod';
import { isJsonObject } from '../contract/json.ts';
import type { ToolServerConfig, ToolServerPlace } from '../contract/server-tools.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const texts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));

/** An entry as LM Studio, Claude, Cursor and VS Code write it; what they know besides is passed over. */
const entry = z.object({
  type: z.string().optional(),
  transport: z.string().optional(),
  command: z.string().min(1).optional(),
  args: z.array(z.string()).optional(),
  env: texts.optional(),
  cwd: z.string().optional(),
  url: z.string().optional(),
  serverUrl: z.string().optional(),
  headers: texts.optional(),
  disabled: z.boolean().optional(),
  enabled: z.boolean().optional(),
});

/**
 * The `mcpServers` of a file that other programs share (`servers` in VS Code's). An entry that cannot be read is a server
 * that has a problem; a file that is no such file throws an Error whose message continues the sentence `FILE ...`.
 */
export function parseToolServers(text: string, variables: Variables): readonly ToolServerConfig[] {
  const file = readJson(text);
  const servers = isJsonObject(file) ? (file.mcpServers ?? file.servers) : undefined;
  if (!isJsonObject(servers)) throw new Error('has no "mcpServers": {"name": {"command": ...}} in it');
  return Object.entries(servers).map(([name, wire]) => readEntry(name, wire, variables));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`is no JSON: ${error instanceof Error ? error.message : error}`);
  }
}

function readEntry(name: string, wire: unknown, variables: Variables): ToolServerConfig {
  const read = entry.safeParse(wire);
  if (!read.success) {
    const [issue] = read.error.issues;
    return broken(name, `its entry is wrong at ${JSON.stringify(issue?.path.join('.') ?? '')}`);
  }
  const { data } = read;
  const disabled = data.disabled === true || data.enabled === false;
  try {
    return { name, disabled, place: placeOf(data, variables) };
  } catch (error) {
    return broken(name, error instanceof Error ? error.message : String(error));
  }
}

function broken(name: string, problem: string): ToolServerConfig {
  return {
    name,
    disabled: false,
    place: undefined,
    problem: `The configuration of ${JSON.stringify(name)} cannot be used: ${problem}.`,
  };
}

function placeOf(data: z.output<typeof entry>, variables: Variables): ToolServerPlace {
  const fill = (text: string) => filled(text, variables);
  const fillAll = (record: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fill(value)]));
  const { command, args = [], env, cwd, headers, type = data.transport } = data;
  const url = data.url ?? data.serverUrl;
  if (command !== undefined)
    return {
      transport: 'stdio',
      command: fill(command),
      args: args.map(fill),
      env: fillAll(env),
      ...(cwd !== undefined && { cwd: fill(cwd) }),
    };
  if (url === undefined) throw new Error('it has neither a "command" nor a "url"');
  const filledUrl = fill(url);
  if (!/^https?:\/\//i.test(filledUrl) || !URL.canParse(filledUrl))
    throw new Error('its "url" is no http or https URL');
  return { transport: type === 'sse' ? 'sse' : 'http', url: filledUrl, headers: fillAll(headers) };
}

/** `${NAME}`, `${NAME:-default}` and `${env:NAME}`, so that keys need not stand in the file. */
function filled(text: string, variables: Variables): string {
  return text.replace(
    /\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
    (_, name: string, otherwise?: string) => {
      const value = variables[name] ?? otherwise;
      if (value === undefined) throw new Error(`the variable ${name} is not set`);
      return value;
    },
  );
}
