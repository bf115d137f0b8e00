import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AgentName, agents } from '../../src/launch/agents.ts';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { runCommand, type ServeProcess } from '../support/serve-process.ts';

let folder = '';
let server: RunningServer;
const commands: ServeProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-launch-'));
  // In place of the agent: it tells how it was started, and ends with a code of its own.
  const claude = '#!/bin/sh\necho "args: $*"\nenv | grep -E "^(ANTHROPIC|CLAUDE)_"\nexit 7\n';
  await writeFile(join(folder, 'claude'), claude, { mode: 0o755 });
  server = await startDemoServer(['--api-key', 'sesame', '--ctx-size', '4096']);
});
afterEach(() => {
  for (const { child } of commands.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

async function launch(argv: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const command = runCommand(['launch', ...argv], {
    PATH: [folder, process.env.PATH].join(delimiter),
    XDG_RUNTIME_DIR: folder,
    XDG_DATA_HOME: folder,
    SERVE_MODEL_URL: server.url,
    SERVE_MODEL_API_KEY: 'sesame',
    ...more,
  });
  commands.push(command);
  return { code: await command.exited(), out: command.out(), error: command.error() };
}

describe('serve-model launch', () => {
  it.each(Object.keys(agents) as AgentName[])('shows how %s would be started, and starts nothing', async (name) => {
    const { code, out, error } = await launch([name, '--print', '--', '-p', 'two words']);
    expect(code, error).toBe(0);
    expect(error).toMatch(
      new RegExp(
        `^serve-model: WARNING: ${name} needs a context of about \\d+ tokens, and serve-model-demo has 4096\\.`,
      ),
    );
    expect(out).toContain(server.url);
    expect(out).toContain('$SERVE_MODEL_API_KEY');
    expect(out).not.toContain('sesame');
    expect(out.trimEnd().endsWith("-p 'two words'")).toBe(true);
    expect(await readdir(folder)).not.toContain('serve-model');
  });

  it("starts the agent with the server's address, model and key, and ends as it does", async () => {
    const { code, out, error } = await launch(['claude', '--', '-p', 'hi'], { ANTHROPIC_API_KEY: 'elsewhere' });
    expect(code, error).toBe(7);
    const own = join(folder, 'serve-model', 'agents', 'claude');
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toBe('args: -p hi');
    expect(lines).toEqual(
      expect.arrayContaining([
        `ANTHROPIC_BASE_URL=${server.url}`,
        'ANTHROPIC_AUTH_TOKEN=sesame',
        'ANTHROPIC_MODEL=serve-model-demo',
        'CLAUDE_CODE_MAX_CONTEXT_TOKENS=4096',
        `CLAUDE_CONFIG_DIR=${own}`,
      ]),
    );
    expect(out).not.toContain('ANTHROPIC_API_KEY');
    expect(JSON.parse(await readFile(join(own, '.claude.json'), 'utf8'))).toEqual({ hasCompletedOnboarding: true });
  });

  it('says what is missing: an agent, a server, a model', async () => {
    const nowhere = { PATH: folder };
    expect((await launch(['codex'], nowhere)).error).toContain(
      'codex is not installed here. npm install -g @openai/codex installs it.',
    );
    const alone = await launch(['claude'], { SERVE_MODEL_URL: '' });
    expect(alone).toMatchObject({ code: 1, error: expect.stringContaining('No server of yours runs') });
    const other = await launch(['claude', '--model', 'other']);
    expect(other).toMatchObject({ code: 1, error: expect.stringContaining('There is no model "other" here') });
  });
});
