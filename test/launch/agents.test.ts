import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AgentName, agents } from '../../src/launch/agents.ts';
import { noKey, showPlan } from '../../src/launch/show-plan.ts';
import { writeFiles } from '../../src/launch/write-files.ts';

const facts = {
  url: 'http://127.0.0.1:8080',
  key: noKey,
  model: 'my "model"',
  contextLength: 32_768,
  folder: '/data/agents/x',
  now: '2026-01-01T00:00:00.000Z',
};
const names = Object.keys(agents) as AgentName[];

describe('agents', () => {
  it.each(names)('%s is told server, model and context, and keeps to its own folder', (name) => {
    const { args, set, files } = agents[name].plan(facts);
    const told = JSON.stringify([args, set, files]);
    expect(told).toContain(facts.url);
    expect(told).toContain('my ');
    expect(told).toMatch(/32768|24576/);
    expect(Object.values(set)).toContain(facts.folder);
    for (const { path } of files) expect(path).not.toMatch(/^\/|\.\./);
  });

  it.each(names)('%s is shown as a script that holds no key', (name) => {
    const secret = { ...facts, key: 'sk-"secret$(1)' };
    const script = showPlan(agents[name], secret, ['-p', "it's"]);
    expect(script).not.toContain('secret$');
    expect(script).toContain('$SERVE_MODEL_API_KEY');
    expect(script.split('\n').at(-1)).toMatch(new RegExp(`^${agents[name].program} .*-p 'it'\\\\''s'$`));
  });

  it('codex gets its provider in TOML, opencode and the others in JSON', () => {
    expect(agents.codex.plan(facts).args).toEqual([
      '-c',
      'model="my \\"model\\""',
      '-c',
      'model_provider="serve-model"',
      '-c',
      'model_providers.serve-model={ name = "serve-model", base_url = "http://127.0.0.1:8080/v1", wire_api = "responses", env_key = "SERVE_MODEL_API_KEY" }',
      '-c',
      'model_context_window=32768',
    ]);
    expect(JSON.parse(agents.opencode.plan(facts).set.OPENCODE_CONFIG_CONTENT ?? '')).toMatchObject({
      model: 'serve-model/my "model"',
      provider: { 'serve-model': { models: { 'my "model"': { limit: { context: 32_768, output: 8192 } } } } },
    });
    for (const name of ['qwen', 'cline', 'claude'] as const)
      for (const { text } of agents[name].plan(facts).files) expect(() => JSON.parse(text)).not.toThrow();
  });

  it("files are for their owner only, and those that are the agent's too stay as they are", async () => {
    const base = await mkdtemp(join(tmpdir(), 'serve-model-agents-'));
    try {
      const folder = join(base, 'agents', 'x');
      const files = (text: string) => [
        { path: 'mine.json', text, keep: true },
        { path: join('data', 'ours.json'), text, keep: false },
      ];
      await writeFiles(folder, files('one'));
      await writeFile(join(folder, 'data', 'ours.json'), 'changed', { mode: 0o644 });
      await writeFiles(folder, files('two'));
      expect(await readFile(join(folder, 'mine.json'), 'utf8')).toBe('one');
      expect(await readFile(join(folder, 'data', 'ours.json'), 'utf8')).toBe('two');
      expect((await stat(join(folder, 'data', 'ours.json'))).mode & 0o777).toBe(0o600);
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
    } finally {
      await rm(base, { recursive: true });
    }
  });
});
