import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentPlan } from '../../src/launch/agent.ts';
import { type AgentName, agents as launchable } from '../../src/launch/agents.ts';
import { noKey } from '../../src/launch/show-plan.ts';
import { writeFiles } from '../../src/launch/write-files.ts';

/** Where an agent works, of which nothing stays: its home and settings, and the folder that it is asked to look at. */
interface Place {
  readonly home: string;
  readonly work: string;
  /** The address of the server, without a path. */
  readonly url: string;
}

/** How a session of an agent is started that ends by itself; what leads it to the server comes from `launch`. */
export interface AgentSpec {
  readonly name: AgentName;
  /** In the registry, with the version that is known to run like this. */
  readonly packageName: string;
  readonly version: string;
  readonly tool: string;
  /** The tool's argument that is a command of the shell. */
  readonly argument: string;
  /** Behind those of `launch`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Further settings, in files of its home. */
  readonly files?: Readonly<Record<string, string>>;
  /** Variables that name folders of their own in its home. */
  readonly folders?: readonly string[];
}

const modelName = 'bench-mini';
export const contextSize = 65_536;
const question = 'Run the command once and say what it wrote.';

const codex: AgentSpec = {
  name: 'codex',
  packageName: '@openai/codex',
  version: '0.171.0',
  tool: 'exec_command',
  argument: 'cmd',
  args: [
    ...[
      'check_for_update_on_startup=false',
      'approval_policy="never"',
      'sandbox_mode="danger-full-access"',
      'analytics.enabled=false',
      'history.persistence="none"',
    ].flatMap((setting) => ['-c', setting]),
    ...['exec', '--skip-git-repo-check', '--json', question],
  ],
  env: {},
};

const claude: AgentSpec = {
  name: 'claude',
  packageName: '@anthropic-ai/claude-code',
  version: '2.1.332',
  tool: 'Bash',
  argument: 'command',
  args: ['-p', question, '--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions'],
  env: {
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    // It refuses to skip permissions for root anywhere else.
    IS_SANDBOX: '1',
  },
};

const opencode: AgentSpec = {
  name: 'opencode',
  packageName: 'opencode-ai',
  version: '1.18.33',
  tool: 'bash',
  argument: 'command',
  args: ['run', '--format', 'json', question],
  env: {
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  },
  files: { OPENCODE_CONFIG: '{"permission": "allow"}\n' },
  folders: ['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME'],
};

export const agents: readonly AgentSpec[] = [codex, claude, opencode];

/** Name of the program in the package of the platform: none of them needs Node.js or an install script. */
export function programOf({ name }: AgentSpec): string {
  return launchable[name].program;
}

/** Writes what the agent reads, and tells what it is started with: as `serve-model launch` does it, and the session's own. */
export async function prepare(spec: AgentSpec, { home, url }: Place): Promise<Pick<AgentPlan, 'args' | 'set'>> {
  const facts = { url, key: noKey, model: modelName, contextLength: contextSize, folder: home, now: '' };
  const plan: AgentPlan = launchable[spec.name].plan(facts);
  await writeFiles(home, plan.files);
  const { files = {}, folders = [] } = spec;
  const written = Object.entries(files).map(([variable, text]) => {
    const path = join(home, `${variable}.json`);
    writeFileSync(path, text);
    return [variable, path] as const;
  });
  const made = folders.map((variable) => {
    const path = join(home, variable);
    mkdirSync(path);
    return [variable, path] as const;
  });
  return {
    args: [...plan.args, ...spec.args],
    set: { ...plan.set, ...spec.env, ...Object.fromEntries([...written, ...made]) },
  };
}
