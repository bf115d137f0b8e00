import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where an agent works, of which nothing stays: its home and settings, and the folder that it is asked to look at. */
interface Place {
  readonly home: string;
  readonly work: string;
  /** The address of the server, without a path. */
  readonly url: string;
}

export interface AgentSpec {
  readonly name: string;
  /** In the registry, with the version that is known to run like this. */
  readonly packageName: string;
  readonly version: string;
  /** Name of the program in the package of the platform: none of them needs Node.js or an install script. */
  readonly program: string;
  readonly tool: string;
  /** The tool's argument that is a command of the shell. */
  readonly argument: string;
  /** Writes settings, and tells what the program is started with. */
  prepare(place: Place): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
}

const modelName = 'bench-mini';
export const contextSize = 65_536;
const question = 'Run the command once and say what it wrote.';

const codex: AgentSpec = {
  name: 'codex',
  packageName: '@openai/codex',
  version: '0.171.0',
  program: 'codex',
  tool: 'exec_command',
  argument: 'cmd',
  prepare({ home, url }) {
    writeFileSync(
      join(home, 'config.toml'),
      `model = "${modelName}"
model_provider = "local"
check_for_update_on_startup = false
approval_policy = "never"
sandbox_mode = "danger-full-access"
[model_providers.local]
name = "local"
base_url = "${url}/v1"
wire_api = "responses"
[analytics]
enabled = false
[history]
persistence = "none"
`,
    );
    return { args: ['exec', '--skip-git-repo-check', '--json', question], env: { CODEX_HOME: home } };
  },
};

const claudeCode: AgentSpec = {
  name: 'claude-code',
  packageName: '@anthropic-ai/claude-code',
  version: '2.1.332',
  program: 'claude',
  tool: 'Bash',
  argument: 'command',
  prepare: ({ home, url }) => ({
    args: ['-p', question, '--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions'],
    env: {
      CLAUDE_CONFIG_DIR: home,
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_AUTH_TOKEN: 'none',
      ANTHROPIC_MODEL: modelName,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: modelName,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_TELEMETRY: '1',
      DISABLE_ERROR_REPORTING: '1',
      DISABLE_AUTOUPDATER: '1',
      // It refuses to skip permissions for root anywhere else.
      IS_SANDBOX: '1',
    },
  }),
};

const opencode: AgentSpec = {
  name: 'opencode',
  packageName: 'opencode-ai',
  version: '1.18.33',
  program: 'opencode',
  tool: 'bash',
  argument: 'command',
  prepare({ home, url }) {
    const settings = join(home, 'opencode.json');
    const model = `local/${modelName}`;
    const limit = { context: contextSize, output: 4096 };
    writeFileSync(
      settings,
      JSON.stringify({
        autoupdate: false,
        share: 'disabled',
        permission: 'allow',
        model,
        small_model: model,
        enabled_providers: ['local'],
        provider: {
          local: {
            npm: '@ai-sdk/openai-compatible',
            name: 'local',
            options: { baseURL: `${url}/v1`, apiKey: 'none' },
            models: { [modelName]: { name: modelName, tool_call: true, limit } },
          },
        },
      }),
    );
    const folders = ['CONFIG', 'DATA', 'CACHE', 'STATE'].map((kind) => [`XDG_${kind}_HOME`, join(home, kind)] as const);
    for (const [, folder] of folders) mkdirSync(folder);
    return {
      args: ['run', '--format', 'json', question],
      env: {
        ...Object.fromEntries(folders),
        OPENCODE_CONFIG: settings,
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
        OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
      },
    };
  },
};

export const agents: readonly AgentSpec[] = [codex, claudeCode, opencode];
