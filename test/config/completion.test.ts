import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/config/commands.ts';
import { flagSpelling, flags } from '../../src/config/flags.ts';
import { completionScript } from '../../src/config.ts';
import { agents } from '../../src/launch/agents.ts';

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-model-completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) writeFileSync(join(folder, shell), await completionScript(shell));
  writeFileSync(join(folder, 'my model.gguf'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers behind these words. */
function offered(...words: readonly string[]): string[] {
  const line = ['serve-model', ...words].map((word) => `'${word}'`).join(' ');
  const script = `source ./bash; COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _serve_model; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('knows every command and flag: %s', async (shell) => {
    const script = await completionScript(shell);
    for (const name of Object.keys(commands)) expect(script).toMatch(new RegExp(`\\b${name}\\b`));
    for (const name of Object.keys(flags)) {
      const spelling = flagSpelling(name);
      expect(script).toContain(shell === 'fish' ? `-l ${spelling} ` : `--${spelling}`);
    }
  });

  it('offers commands, flags, their values and files in bash', () => {
    expect(offered('p')).toEqual(['ps', 'pull']);
    expect(offered('')).toEqual(expect.arrayContaining([...Object.keys(commands), 'my model.gguf']));
    expect(offered('--no-aut')).toEqual(['--no-auto-heal-tool-calls', '--no-autoload']);
    expect(offered('--gpu', '')).toEqual(['auto', 'cuda', 'metal', 'vulkan', 'off']);
    expect(offered('--gpu', 'm')).toEqual(['metal']);
    expect(offered('--port', '')).toEqual([]);
    expect(offered('-m', 'my')).toEqual(['my model.gguf']);
    expect(offered('--chat-store', 'o')).toEqual(['off']);
    expect(offered('run', 'my')).toEqual(['my model.gguf']);
    expect(offered('launch', 'c')).toEqual(['claude', 'codex', 'copilot', 'cline']);
    expect(offered('launch', 'claude', '--', 'my')).toEqual(['my model.gguf']);
  });

  it('offers flags that one command takes there alone', () => {
    expect(offered('launch', '--pri')).toEqual(['--prio', '--print']);
    expect(offered('ps', '--pri')).toEqual(['--prio']);
    expect(offered('ps', '--ur')).toEqual(['--url']);
    expect(offered('--ur')).toEqual([]);
  });

  it.each([
    ['bash', '-n'],
    ['zsh', '-n'],
    ['fish', '-n'],
  ])('is a script that %s can read', (shell, flag) => {
    const program = ['/usr/bin', '/bin', '/usr/local/bin'].map((place) => join(place, shell)).find(existsSync);
    if (program === undefined) return console.warn(`The completions for ${shell} are not read: it is not installed.`);
    const { status, stderr } = spawnSync(program, [flag, join(folder, shell)], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('and launch know the same agents', () => {
    expect(commands.launch.choices).toEqual(Object.keys(agents));
  });
});
