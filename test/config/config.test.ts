import { describe, expect, it } from 'vitest';
import { flags } from '../../src/config/flags.ts';
import { type Config, type ConfigSource, type Environment, parseConfig } from '../../src/config.ts';
import { ServeError } from '../../src/contract/errors.ts';

const files: Readonly<Record<string, string>> = {
  'keys.txt': 'first\n# comment\n\n  second  \n',
  'empty.txt': '\n# nobody\n',
  'chat.jinja': '{{ messages }}',
  'models.json': '{"coder": {"model": "hf:a/b:Q8_0", "ctxSize": 4096}}',
  'tools.json': '{"mcpServers": {"built-in": {"command": "x"}}}',
  'odd.json': '{"coder": {"model": "x.gguf", "contextSize": 4096}}',
};

const source: ConfigSource = {
  readText: (path) => {
    const text = files[path];
    if (text === undefined) throw new Error('cannot be read. Check the path and its permissions');
    return text;
  },
  platform: 'linux',
  homeFolder: '/home/ada',
  userId: 1000,
};

function serve(argv: readonly string[] = [], env: Environment = {}): Config {
  const parsed = parseConfig(argv, env, source);
  if (parsed.command !== 'serve') throw new Error(`expected serve, got ${parsed.command}`);
  return parsed.config;
}

function refusal(argv: readonly string[], env: Environment = {}): string {
  try {
    parseConfig(argv, env, source);
  } catch (error) {
    if (error instanceof ServeError && error.code === 'invalid_request') return error.message;
    throw error;
  }
  throw new Error(`${argv.join(' ')} was not refused`);
}

describe('parseConfig', () => {
  it('takes built-in tools by name, and a search engine where web_search is wanted', () => {
    expect(serve(['--tool', 'time', '--tools', 'fetch, calculator']).tool).toEqual(['time', 'fetch', 'calculator']);
    expect(serve([], { SERVE_MODEL_TOOL: 'time,fetch' }).tool).toEqual(['time', 'fetch']);
    expect(serve([]).tool).toEqual([]);
    expect(serve(['--web-search-url', 'https://s.example/{query}?n={page}']).webSearchUrl).toMatch(/{query}/);
    expect(refusal(['--tool', 'time,shell'])).toBe(
      '--tool must be of time, calculator, fetch, web_search, not "time,shell".',
    );
    expect(refusal(['--tool', 'web_search'])).toMatch(/needs a search engine\. Name one with --web-search-url/);
    expect(refusal(['--web-search-url', 'searx.example'])).toMatch(/must be an http or https URL/);
    expect(refusal(['--tool', 'time', '--mcp-config', 'tools.json'])).toMatch(/a server "built-in".*another name/);
    expect(serve(['--mcp-config', 'tools.json']).toolServers).toHaveLength(1);
  });

  it('gives every flag of the table its default when nothing is said', () => {
    const config = serve();
    expect(config).toMatchObject({
      model: [],
      alias: [],
      host: '127.0.0.1',
      port: 8080,
      parallel: undefined,
      ctxSize: 0,
      gpu: 'auto',
      threads: undefined,
      flashAttn: undefined,
      logLevel: 'info',
      queueTimeout: 60,
      maxPredictSeconds: 600,
      strictTools: true,
      modelsDir: '/home/ada/.cache/serve-model/models',
    });
    const derived = ['verbose', 'apiKeyFile', 'chatTemplateFile', 'mcpConfig', 'modelsFile'];
    expect(Object.keys(config).sort()).toEqual(
      [
        'cacheFolder',
        'dataFolder',
        'runtimeFolder',
        ...Object.keys(flags).filter((name) => !derived.includes(name)),
        'chatTemplate',
        'keyFile',
        'namedModels',
        'toolServers',
        'waitAtExit',
      ].sort(),
    );
  });

  it('is frozen', () => {
    expect(Object.isFrozen(serve())).toBe(true);
    expect(Object.isFrozen(serve(['model.gguf']))).toBe(true);
  });

  it('keeps the flags that a server takes too, for a command that starts one', () => {
    const parsed = parseConfig(
      ['bench', 'm', '-c', '64', '--no-mmap', '--model=a,b', '--rounds', '2', '--no-mmproj'],
      {},
    );
    expect('given' in parsed && parsed.given).toEqual([
      { name: 'ctxSize', argument: '--ctx-size=64' },
      { name: 'mmap', argument: '--mmap=false' },
      { name: 'model', argument: '--model=a,b' },
      { name: 'mmproj', argument: '--mmproj=none' },
    ]);
  });

  it.each<[string, readonly string[], Partial<Config>]>([
    ['the positional model first', ['a.gguf', '--model', 'b.gguf'], { model: ['a.gguf', 'b.gguf'] }],
    ['a model named like a flag after --', ['--', '--odd.gguf'], { model: ['--odd.gguf'] }],
    ['paths with commas whole', ['--model', 'a,b.gguf'], { model: ['a,b.gguf'] }],
    ['a value behind a space', ['--port', '9000'], { port: 9000 }],
    ['a value behind an equals sign', ['--port=9000'], { port: 9000 }],
    ['an equals sign in the value', ['--api-key=a=b'], { apiKey: ['a=b'] }],
    ['the last of several', ['--port', '1', '--port', '2'], { port: 2 }],
    ['lists repeated and with commas', ['--alias', 'a,b', '--alias', 'c'], { alias: ['a', 'b', 'c'] }],
    ['another spelling', ['--served-model-name', 'a', '--alias', 'b'], { alias: ['a', 'b'] }],
    ['one letter', ['-m', 'x.gguf', '-c', '2048'], { model: ['x.gguf'], ctxSize: 2048 }],
    ['a switch', ['--flash-attn'], { flashAttn: true }],
    ['a switch turned off', ['--no-flash-attn'], { flashAttn: false }],
    ['a switch with a word', ['--strict-tools=off'], { strictTools: false }],
    ['the last word of a switch', ['--no-strict-tools', '--strict-tools'], { strictTools: true }],
    ['verbose as a log level', ['--verbose', '--log-level', 'warn'], { logLevel: 'debug' }],
    ['plain seconds', ['--queue-timeout', '90'], { queueTimeout: 90 }],
    ['seconds', ['--queue-timeout', '30s'], { queueTimeout: 30 }],
    ['minutes', ['--queue-timeout', '1.5m'], { queueTimeout: 90 }],
    ['hours', ['--queue-timeout', '2h'], { queueTimeout: 7200 }],
    [
      'keys of a file beside the others',
      ['--api-key', 'k', '--api-key-file', 'keys.txt'],
      {
        apiKey: ['k'],
        keyFile: {
          path: 'keys.txt',
          keys: ['first', 'second'].map((key) => ({ key, name: undefined, admin: false, limits: {} })),
        },
      },
    ],
    ['the text of the template file', ['--chat-template-file', 'chat.jinja'], { chatTemplate: '{{ messages }}' }],
    [
      'the models of a file',
      ['--models-file', 'models.json'],
      { namedModels: { coder: { model: 'hf:a/b:Q8_0', settings: { contextSize: 4096 } } } },
    ],
    ['a port of 0', ['--port', '0'], { port: 0 }],
    ['serve said aloud', ['serve', 'inspect'], { model: ['inspect'] }],
  ])('takes %s', (_, argv, expected) => {
    expect(serve(argv)).toMatchObject(expected);
  });

  it.each<[string, readonly string[], Environment, Partial<Config>]>([
    ['the twin of a flag', [], { SERVE_MODEL_CTX_SIZE: '512' }, { ctxSize: 512 }],
    ['the command line first', ['--ctx-size', '1'], { SERVE_MODEL_CTX_SIZE: '512' }, { ctxSize: 1 }],
    ['a switch', [], { SERVE_MODEL_STRICT_TOOLS: 'no' }, { strictTools: false }],
    ['a list', [], { SERVE_MODEL_API_KEYS: 'a, b' }, { apiKey: ['a', 'b'] }],
    ['the own name before the common one', [], { SERVE_MODEL_HF_TOKEN: 'own', HF_TOKEN: 'common' }, { hfToken: 'own' }],
    ['the common name', [], { HF_TOKEN: 'common' }, { hfToken: 'common' }],
    ['an empty variable as absent', [], { SERVE_MODEL_PORT: '' }, { port: 8080 }],
    ['the cache folder', [], { XDG_CACHE_HOME: '/cache' }, { modelsDir: '/cache/serve-model/models' }],
  ])('reads from the environment %s', (_, argv, env, expected) => {
    expect(serve(argv, env)).toMatchObject(expected);
  });

  it('keeps models where the platform keeps its caches', () => {
    const folder = (platform: NodeJS.Platform) => {
      const parsed = parseConfig(['list'], {}, { ...source, platform });
      return 'config' in parsed ? parsed.config.modelsDir : undefined;
    };
    expect(folder('darwin')).toBe('/home/ada/Library/Caches/serve-model/models');
    expect(folder('win32')).toBe('/home/ada/AppData/Local/serve-model/models');
  });

  it('meets other programs of the user where the platform has its runtime folder', () => {
    const folder = (platform: NodeJS.Platform, env: Environment = {}) => {
      const parsed = parseConfig(['ps'], env, { ...source, platform });
      return 'config' in parsed ? parsed.config.runtimeFolder : undefined;
    };
    expect(folder('linux', { XDG_RUNTIME_DIR: '/run/user/1000' })).toBe('/run/user/1000/serve-model');
    expect(folder('linux')).toBe('/tmp/serve-model-1000');
    expect(folder('darwin', { TMPDIR: '/var/folders/x' })).toBe('/var/folders/x/serve-model-1000');
    expect(folder('win32')).toBe('/home/ada/AppData/Local/serve-model/run');
  });

  it('keeps chats where the platform keeps what its users made, in the folder that is named, or nowhere', () => {
    const place = (argv: readonly string[], env: Environment = {}, platform: NodeJS.Platform = 'linux') => {
      const parsed = parseConfig(['list', ...argv], env, { ...source, platform });
      return 'config' in parsed ? parsed.config.chatStore : undefined;
    };
    const usual = (folder: string) => ({ kept: true, asked: false, folder });
    expect(place([])).toEqual(usual('/home/ada/.local/share/serve-model/chats'));
    expect(place([], { XDG_DATA_HOME: '/data' })).toEqual(usual('/data/serve-model/chats'));
    expect(place([], {}, 'darwin')).toEqual(usual('/home/ada/Library/Application Support/serve-model/chats'));
    expect(place([], {}, 'win32')).toEqual(usual('/home/ada/AppData/Local/serve-model/chats'));
    expect(place(['--chat-store', 'here'])).toEqual({ kept: true, asked: true, folder: 'here' });
    expect(place([], { SERVE_MODEL_CHAT_STORE: 'off' })).toEqual({ kept: false });
  });

  it.each<[readonly string[], string]>([
    [['--prot', '1'], 'There is no flag --prot. Did you mean --port?'],
    [['--no-strict-tool'], 'There is no flag --no-strict-tool. Did you mean --no-strict-tools?'],
    [['-port', '1'], 'There is no flag -port. Did you mean --port?'],
    [['--m', 'x'], 'There is no flag --m. Did you mean -m?'],
    [['--wibblewobble'], 'There is no flag --wibblewobble. serve-model --help lists all flags.'],
    [['--port'], '--port needs a value: --port N.'],
    [['--alias', '--port', '1'], '--alias needs a value: --alias NAME.'],
    [['--port', 'http'], '--port must be a whole number from 0 to 65535, not "http".'],
    [['--port', '65536'], '--port must be a whole number from 0 to 65535, not "65536".'],
    [['--port', '1e3'], '--port must be a whole number from 0 to 65535, not "1e3".'],
    [['--port', ''], '--port must be a whole number from 0 to 65535, not "".'],
    [['--parallel', '0'], '--parallel must be a whole number from 1 to 256, not "0".'],
    [['--ctx-size', '-1'], '--ctx-size must be a whole number of at least 0, not "-1".'],
    [['--gpu', 'rocm'], '--gpu must be one of auto, cuda, metal, vulkan, off, not "rocm".'],
    [
      ['--queue-timeout', '5 minutes'],
      '--queue-timeout must be a time of at least 1 seconds such as 30, 30s, 5m or 2h, not "5 minutes".',
    ],
    [['--strict-tools=maybe'], '--strict-tools must be true or false, not "maybe".'],
    [['--no-strict-tools=true'], '--no-strict-tools takes no value. Leave out =true.'],
    [['--host', ''], '--host must not be empty.'],
    [['--alias', 'a,,b'], '--alias must not be empty.'],
    [['a.gguf', 'b.gguf'], 'One word too many: b.gguf. Serve several models with --model, once for each.'],
    [['ps', 'x'], 'One word too many: x. Write serve-model ps.'],
    [['list', '--url', 'http://a'], '--url is for serve-model run, chat, launch, ps, stop, bench, not for list.'],
    [
      ['ps', '--url', 'localhost:8080'],
      '--url must be an address such as http://127.0.0.1:8080, not "localhost:8080".',
    ],
    [['launch', 'vim'], 'serve-model launch knows no vim. Known: claude, codex, opencode, copilot, qwen, cline.'],
    [
      ['launch'],
      'The name of the agent is missing. Write serve-model launch AGENT [-- ARGS]. Known: claude, codex, opencode, copilot, qwen, cline.',
    ],
    [['completion', 'tcsh'], 'serve-model completion knows no tcsh. Known: bash, zsh, fish.'],
    [['list', 'x'], 'One word too many: x. serve-model list takes no names.'],
    [['pull'], 'The name of the model is missing. Write serve-model pull MODEL.'],
    [['inspct', 'a.gguf'], 'There is no command inspct. Did you mean inspect?'],
    [['--ssl-cert', 'c.pem'], 'HTTPS needs both --ssl-cert and --ssl-key. Give the other one too.'],
    [['--metrics', 'token'], '--metrics token needs a token. Set SERVE_MODEL_METRICS_TOKEN.'],
    [['--api-key-file', 'none.txt'], '--api-key-file none.txt cannot be read. Check the path and its permissions.'],
    [
      ['--models-file', 'keys.txt'],
      '--models-file keys.txt is no JSON. Write {"name": {"model": "path or hf:owner/repo"}}.',
    ],
    [['--models-file', 'odd.json'], '--models-file odd.json is wrong at coder: Unrecognized key: "contextSize".'],
    [['--api-key-file', 'empty.txt'], '--api-key-file empty.txt holds no key. Write one key in each line.'],
  ])('refuses %j with a sentence', (argv, sentence) => {
    expect(refusal(argv)).toBe(sentence);
  });

  it('names the variable when the environment is at fault', () => {
    expect(refusal([], { SERVE_MODEL_PORT: 'x' })).toBe(
      'SERVE_MODEL_PORT must be a whole number from 0 to 65535, not "x".',
    );
  });

  it.each<[readonly string[], object]>([
    [['--version'], { command: 'version' }],
    [['-V', '--port', 'nonsense'], { command: 'version' }],
    [['inspect', 'x.gguf'], { command: 'inspect', operands: ['x.gguf'] }],
    [
      ['pull', 'hf:a/b:q8_0', '--hf-token', 't'],
      { command: 'pull', operands: ['hf:a/b:q8_0'], config: { hfToken: 't' } },
    ],
    [['--models-dir', '/m', 'list'], { command: 'list', config: { modelsDir: '/m' } }],
    [['stop', '--url', 'http://h:1/v1/'], { command: 'stop', operands: [], config: { url: 'http://h:1' } }],
    [['launch', 'claude', '--', '-p', 'hi'], { command: 'launch', operands: ['claude', '-p', 'hi'] }],
    [['rm', 'x'], { command: 'rm', operands: ['x'] }],
  ])('understands %j', (argv, expected) => {
    expect(parseConfig(argv, {}, source)).toMatchObject(expected);
  });
});
