import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, type CommandName, commands, commandUsage } from './config/commands.ts';
import { environmentName, type Flag, type FlagName, type FlagValues, flagSpelling, flags } from './config/flags.ts';
import { helpText } from './config/help.ts';
import { type KeyFile, parseKeyFile } from './config/key-file.ts';
import { type NamedModel, parseNamedModels, readNamedModels } from './config/named-models.ts';
import { flagNames, type RawArguments, readArguments, usageError } from './config/read-arguments.ts';
import type { ServerOptions } from './config/server-options.ts';
import { suggest } from './config/suggest.ts';
import { parseToolServers } from './config/tool-servers.ts';
import type { ApiKey } from './contract/caller.ts';
import type { ChatStorePlace } from './contract/chats.ts';
import { builtInServer, type ToolServerConfig } from './contract/server-tools.ts';
import { readTextFile } from './files/read-text.ts';

export { environmentName, type FlagName } from './config/flags.ts';
export { describeFlags } from './config/help.ts';
export {
  adapterWishes,
  type ContextFlags,
  contextWish,
  loadWish,
  speculationWish,
} from './config/load-wishes.ts';
export type { ServerOptions } from './config/server-options.ts';
export { packageFacts, packageVersion } from './config/version.ts';

/** Everything that can be set, checked and frozen. Made once, by parseConfig. Durations are seconds. */
export interface Config
  extends Omit<
    FlagValues,
    'apiKeyFile' | 'chatStore' | 'chatTemplateFile' | 'mcpConfig' | 'modelsDir' | 'modelsFile' | 'verbose'
  > {
  /** The positional MODEL first, then those of --model. Empty: the bundled demo model. */
  readonly model: readonly string[];
  /** Those of --api-key; keyFile has the others. */
  readonly apiKey: readonly string[];
  /** The content of --api-key-file. */
  readonly keyFile: KeyFile | undefined;
  /** The text of --chat-template-file. */
  readonly chatTemplate: string | undefined;
  /** The content of --mcp-config. */
  readonly toolServers: readonly ToolServerConfig[] | undefined;
  readonly modelsDir: string;
  readonly chatStore: ChatStorePlace;
  /** Of this program, for what the commands on a terminal keep. */
  readonly dataFolder: string;
  /** Of this program, for what is found out once: losing it costs time, nothing else. */
  readonly cacheFolder: string;
  /** Of this program, for what lives no longer than its processes. */
  readonly runtimeFolder: string;
  /**
   * At its end the process waits for native code that runs, 3 s at most, so that it ends with its exit code and never
   * with an abort.
   */
  readonly waitAtExit: boolean;
  /** The content of --models-file. */
  readonly namedModels: Readonly<Record<string, NamedModel>>;
}

/** The options of `createServer()` -> the same as a command line gives. Throws ServeError invalid_request. */
export function embeddedConfig({ namedModels = {}, ...options }: ServerOptions): Config {
  const defaults = parseConfig([], {});
  if (defaults.command !== 'serve') throw new Error('No arguments mean to serve.');
  const config = { ...defaults.config, ...embeddedDefaults, ...options };
  try {
    return { ...config, namedModels: readNamedModels(namedModels) };
  } catch (error) {
    throw usageError(`namedModels ${error instanceof Error ? error.message : error}.`, 'namedModels');
  }
}

/**
 * What a program that holds the server inside gets in place of the command line's: nothing is kept of its users unasked, and
 * nothing of its process is touched.
 */
export const embeddedDefaults = {
  logLevel: 'warn',
  chatStore: { kept: false },
  waitAtExit: false,
} as const satisfies Partial<Config>;

export type ParsedCommand =
  | { readonly command: 'help'; readonly text: string }
  | { readonly command: 'version' }
  | { readonly command: 'serve'; readonly config: Config }
  | OperandCommand;

/** One of the commands that do not serve, with the words after it: as many as its row says. */
export type OperandCommand = {
  [Name in Exclude<CommandName, 'serve'>]: {
    readonly command: Name;
    readonly operands: readonly string[];
    readonly config: Config;
    /** The flags of the command line that a server takes too, in the order given. */
    readonly given: readonly GivenFlag[];
  };
}[Exclude<CommandName, 'serve'>];

export interface GivenFlag {
  readonly name: FlagName;
  /** `--ctx-size=4096` */
  readonly argument: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What parseConfig asks of the machine. */
export interface ConfigSource {
  /** Text of a file; throws an Error whose message continues the sentence `FILE ...`. */
  readonly readText: (path: string) => string;
  readonly platform: NodeJS.Platform;
  readonly homeFolder: string;
  /** Undefined on Windows. */
  readonly userId: number | undefined;
}

const machine: ConfigSource = {
  readText: (path) => readTextFile(path),
  platform: process.platform,
  homeFolder: homedir(),
  userId: process.getuid?.(),
};

/**
 * Command line (without node and script) and environment -> command. The command line wins over the environment, and
 * that over the defaults. Throws ServeError invalid_request with one sentence and the next step.
 */
export function parseConfig(argv: readonly string[], env: Environment, source: ConfigSource = machine): ParsedCommand {
  const raw = readArguments(argv);
  if (raw.help) return { command: 'help', text: helpText() };
  if (raw.version) return { command: 'version' };
  const { command, operands } = splitCommand(raw.positionals);
  checkForeignFlags(command, raw);
  const config = buildConfig(raw, env, source);
  expectOperands(command, operands);
  if (command !== 'serve') return { command, operands, config, given: givenFlags(raw) };
  return { command, config: Object.freeze({ ...config, model: [...operands, ...config.model] }) };
}

/** What `serve-model completion SHELL` writes; read only when it is asked for. */
export async function completionScript(shell: string): Promise<string> {
  return (await import('./config/completion.ts')).completionScript(shell);
}

function splitCommand(positionals: readonly string[]): { command: CommandName; operands: readonly string[] } {
  const [first, ...rest] = positionals;
  if (first !== undefined && isCommand(first)) return { command: first, operands: rest };
  if (positionals.length > 1 && first !== undefined) {
    const meant = suggest(first, Object.keys(commands));
    if (meant !== undefined) {
      throw usageError(`There is no command ${first}. Did you mean ${meant}?`, first);
    }
  }
  return { command: 'serve', operands: positionals };
}

function isCommand(word: string): word is CommandName {
  return Object.hasOwn(commands, word);
}

function expectOperands(command: CommandName, operands: readonly string[]): void {
  const { least, most, choices, missing = 'A word is missing.', tooMany }: Command = commands[command];
  const known = choices === undefined ? '' : ` Known: ${choices.join(', ')}.`;
  const usage = `Write ${commandUsage(command)}.`;
  const extra = operands[most];
  if (extra !== undefined) throw usageError(`One word too many: ${extra}. ${tooMany ?? usage}`, extra);
  if (operands.length < least) throw usageError(`${missing} ${usage}${known}`);
  const [first] = operands;
  if (first === undefined || choices === undefined || choices.includes(first)) return;
  throw usageError(`serve-model ${command} knows no ${first}.${known}`, first);
}

/** Flags that mean nothing to this command. Those of the environment are there for whichever command they concern. */
function checkForeignFlags(command: CommandName, raw: RawArguments): void {
  for (const name of raw.given.keys()) {
    const { onlyFor }: Flag<unknown> = flags[name];
    if (onlyFor === undefined || onlyFor.some((each) => each === command)) continue;
    const spelling = `--${flagSpelling(name)}`;
    throw usageError(`${spelling} is for serve-model ${onlyFor.join(', ')}, not for ${command}.`, spelling);
  }
}

function givenFlags({ given }: RawArguments): GivenFlag[] {
  return [...given].flatMap(([name, texts]) => {
    const { onlyFor }: Flag<unknown> = flags[name];
    return onlyFor === undefined ? texts.map((text) => ({ name, argument: `--${flagSpelling(name)}=${text}` })) : [];
  });
}

function buildConfig(raw: RawArguments, env: Environment, source: ConfigSource): Config {
  // The table and FlagValues have the same keys, and each value comes out of its own row's schema.
  const values = Object.fromEntries(
    flagNames.map((name) => [name, readValue(name, raw, env)]),
  ) as unknown as FlagValues;
  const { apiKeyFile, chatStore, chatTemplateFile, mcpConfig, modelsFile, verbose, ...rest } = values;
  checkTogether(values);
  const toolServers = mcpConfig === undefined ? undefined : readToolServers(mcpConfig, env, source);
  checkTools(values, toolServers);
  return Object.freeze({
    ...rest,
    logLevel: verbose ? 'debug' : values.logLevel,
    apiKey: Object.freeze([...values.apiKey]),
    keyFile: apiKeyFile === undefined ? undefined : readKeyFile(apiKeyFile, source),
    chatTemplate: chatTemplateFile === undefined ? undefined : readText('chatTemplateFile', chatTemplateFile, source),
    toolServers,
    namedModels: namedModelsOf(modelsFile, source),
    modelsDir: values.modelsDir ?? defaultModelsFolder(env, source),
    chatStore: chatStorePlace(chatStore, env, source),
    waitAtExit: true,
    cacheFolder: join(source.homeFolder, '.cache', 'serve-model'),
    dataFolder: join(dataFolder(env, source), 'serve-model'),
    runtimeFolder: runtimeFolder(env, source),
  });
}

function readValue(name: FlagName, raw: RawArguments, env: Environment): unknown {
  const row: Flag<unknown> = flags[name];
  const given = raw.given.get(name);
  const texts = given ?? environmentTexts(name, row, env);
  if (texts === undefined) return row.default;
  const origin = given ? `--${flagSpelling(name)}` : environmentOrigin(name, row, env);
  const result = row.kind.schema.safeParse(row.kind.shape === 'repeatable' ? texts : (texts.at(-1) ?? ''));
  if (result.success) return result.data;
  const reason = result.error.issues[0]?.message ?? 'cannot be read';
  const instead = reason.startsWith('must not') ? '' : `, not ${JSON.stringify(texts.at(-1))}`;
  throw usageError(`${origin} ${reason}${instead}.`, origin);
}

/** An empty variable counts as absent: that is how people switch one off in a unit file. */
function environmentTexts(name: FlagName, row: Flag<unknown>, env: Environment): readonly string[] | undefined {
  const value = env[environmentOrigin(name, row, env)];
  return value === undefined || value === '' ? undefined : [value];
}

function environmentOrigin(name: FlagName, row: Flag<unknown>, env: Environment): string {
  const candidates = [environmentName(name), ...(row.alsoEnvironment ?? [])];
  return candidates.find((candidate) => (env[candidate] ?? '') !== '') ?? environmentName(name);
}

function readText(name: FlagName, path: string, source: Pick<ConfigSource, 'readText'>): string {
  try {
    return source.readText(path);
  } catch (error) {
    const spelling = `--${flagSpelling(name)}`;
    throw usageError(`${spelling} ${path} ${error instanceof Error ? error.message : error}.`, spelling);
  }
}

/** Throws ServeError invalid_request with one sentence; it shows no key. */
export function readKeyFile(path: string, source: Pick<ConfigSource, 'readText'> = machine): KeyFile {
  const text = readText('apiKeyFile', path, source);
  try {
    return { path, keys: parseKeyFile(text) };
  } catch (error) {
    throw usageError(`--api-key-file ${path} ${error instanceof Error ? error.message : error}.`, '--api-key-file');
  }
}

/** Every key that opens the API. */
export function allKeys({ apiKey, keyFile }: Pick<Config, 'apiKey' | 'keyFile'>): readonly ApiKey[] {
  return [...apiKey.map((key) => ({ key, name: undefined, admin: false, limits: {} })), ...(keyFile?.keys ?? [])];
}

function namedModelsOf(path: string | undefined, source: ConfigSource): Config['namedModels'] {
  if (path === undefined) return {};
  const text = readText('modelsFile', path, source);
  try {
    return parseNamedModels(text);
  } catch (error) {
    throw usageError(`--models-file ${path} ${error instanceof Error ? error.message : error}.`, '--models-file');
  }
}

function readToolServers(path: string, env: Environment, source: ConfigSource): readonly ToolServerConfig[] {
  const text = readText('mcpConfig', path, source);
  try {
    return parseToolServers(text, env);
  } catch (error) {
    throw usageError(`--mcp-config ${path} ${error instanceof Error ? error.message : error}.`, '--mcp-config');
  }
}

function checkTogether(values: FlagValues): void {
  if ((values.sslCert === undefined) !== (values.sslKey === undefined)) {
    throw usageError('HTTPS needs both --ssl-cert and --ssl-key. Give the other one too.', '--ssl-cert');
  }
  if (values.metrics === 'token' && values.metricsToken === undefined) {
    throw usageError('--metrics token needs a token. Set SERVE_MODEL_METRICS_TOKEN.', '--metrics');
  }
  if (values.draftModel !== undefined && values.lookupDecoding) {
    throw usageError('--draft-model and --lookup-decoding exclude each other. Leave one out.', '--draft-model');
  }
}

/** What depends on the content of files, too. */
function checkTools({ tool, webSearchUrl }: FlagValues, servers: readonly ToolServerConfig[] = []): void {
  const address = webSearchUrl?.replaceAll('{query}', 'q').replaceAll('{page}', '1');
  if (address !== undefined && !(URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)))
    throw usageError(
      `--web-search-url must be an http or https URL, not ${JSON.stringify(webSearchUrl)}.`,
      '--web-search-url',
    );
  if (tool.includes('web_search') && webSearchUrl === undefined)
    throw usageError('--tool web_search needs a search engine. Name one with --web-search-url.', '--tool');
  if ((tool.length > 0 || webSearchUrl !== undefined) && servers.some(({ name }) => name === builtInServer))
    throw usageError(
      `--mcp-config has a server ${JSON.stringify(builtInServer)}, as the tools of --tool are called. Give it another name.`,
      '--mcp-config',
    );
}

function chatStorePlace(given: string | undefined, env: Environment, source: ConfigSource): ChatStorePlace {
  if (given === 'off') return { kept: false };
  if (given !== undefined) return { kept: true, folder: given, asked: true };
  return { kept: true, folder: join(dataFolder(env, source), 'serve-model', 'chats'), asked: false };
}

/** Where programs keep what their users made. */
function dataFolder(env: Environment, { platform, homeFolder }: ConfigSource): string {
  if (platform === 'darwin') return join(homeFolder, 'Library', 'Application Support');
  if (platform === 'win32') return env.LOCALAPPDATA || join(homeFolder, 'AppData', 'Local');
  return env.XDG_DATA_HOME || join(homeFolder, '.local', 'share');
}

/** The user's own where the system gives one; else a name of the user's own in the folder for temporary files. */
function runtimeFolder(env: Environment, source: ConfigSource): string {
  if (source.platform === 'win32') return join(dataFolder(env, source), 'serve-model', 'run');
  if (env.XDG_RUNTIME_DIR) return join(env.XDG_RUNTIME_DIR, 'serve-model');
  return join(env.TMPDIR || '/tmp', `serve-model-${source.userId}`);
}

function defaultModelsFolder(env: Environment, source: ConfigSource): string {
  const home = source.homeFolder;
  if (source.platform === 'darwin') return join(home, 'Library', 'Caches', 'serve-model', 'models');
  if (source.platform === 'win32') {
    return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'serve-model', 'models');
  }
  return join(env.XDG_CACHE_HOME || join(home, '.cache'), 'serve-model', 'models');
}
