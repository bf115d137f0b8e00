import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { readSaved } from '../../src/terminal/conversation.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { noPseudoTerminal, runInTerminal, type TerminalProcess } from '../support/pseudo-terminal.ts';
import { runCommand, type ServeProcess, withDeadline } from '../support/serve-process.ts';

let folder = '';
let server: RunningServer;
const terminals: TerminalProcess[] = [];
const commands: ServeProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-terminal-'));
  const file = join(folder, 'mcp.json');
  const tools = {
    command: process.execPath,
    args: [resolve(import.meta.dirname, '../support/weather-tool-server.mjs')],
  };
  await writeFile(file, JSON.stringify({ mcpServers: { local: tools } }));
  server = await startDemoServer(['--mcp-config', file, '--ctx-size', '4096']);
  if (noPseudoTerminal !== undefined) console.warn(`Chats in a terminal are not tested: ${noPseudoTerminal}`);
});
afterEach(() => {
  for (const { child } of [...terminals.splice(0), ...commands.splice(0)]) child.kill('SIGKILL');
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

/** Nothing of whoever runs the tests is found or changed. */
const own = () => ({ XDG_RUNTIME_DIR: folder, XDG_DATA_HOME: folder, SERVE_MODEL_URL: server.url });

async function openChat(argv: readonly string[] = ['chat']): Promise<TerminalProcess> {
  const terminal = runInTerminal(argv, own());
  terminals.push(terminal);
  await terminal.waitFor('the prompt', /\/help tells[^\n]*\n[^\n]*> /);
  return terminal;
}

async function pipe(argv: readonly string[], env: Readonly<Record<string, string>> = own()) {
  const command = runCommand(argv, env);
  commands.push(command);
  return { code: await command.exited(), out: command.out(), error: command.error() };
}

/** Until no request runs any more. */
async function untilIdle(): Promise<void> {
  const busy = async () => {
    const { requests } = (await (await fetch(`${server.url}/internal/requests`)).json()) as { requests: unknown[] };
    return requests.length > 0;
  };
  const idle = async () => {
    while (await busy());
  };
  await withDeadline('an idle engine', idle(), 10_000);
}

const prompt = /\n[^\n]*> \S*$/;

describe.skipIf(noPseudoTerminal !== undefined)('serve-model chat in a terminal', () => {
  it('streams, dims thoughts, takes several lines, stops an answer and goes on, saves and loads', async () => {
    const chat = await openChat();
    chat.type('/set temperature 0\r');
    await chat.waitFor('the next prompt', prompt);
    chat.type('Who are you?\r');
    const first = await chat.waitFor('the answer', /␛\[2m[^␛]*␛\[22m\n+[^␛]*\n[^\n]*> /);
    expect(first).toContain('demo model');

    chat.type('\x1b[200~Repeat this:\rone two\x1b[201~ please\r');
    expect(await chat.waitFor('the paste', /please/)).toContain('[paste 1: 2 lines]');
    await chat.waitFor('the answer', prompt);

    chat.type('Tell me a very long story with many chapters.\r');
    await chat.waitFor('the story', /␛\[22m\n+\S+ \S+/);
    chat.type('\x03');
    await chat.waitFor('the end of the answer', /stopped/);
    await untilIdle();
    await chat.waitFor('the prompt', /> /);

    const path = join(folder, 'chat.json');
    chat.type(`/save ${path}\r`);
    await chat.waitFor('the save', /6 messages saved/);
    const saved = readSaved(await readFile(path, 'utf8'));
    expect(saved.messages.map(({ role }) => role)).toEqual(Array(3).fill(['user', 'assistant']).flat());
    expect(saved.messages[2]).toEqual({ role: 'user', text: 'Repeat this:\none two please', images: [] });
    chat.type('/clear\r');
    await chat.waitFor('the prompt', prompt);
    chat.type(`/load ${path}\r`);
    await chat.waitFor('the load', /6 messages loaded/);
    chat.type(`/retry\r`);
    await chat.waitFor('the story', /␛\[22m\n+\S+ \S+/);
    chat.type('\x03');
    await chat.waitFor('the end of the answer', /stopped/);
    await chat.waitFor('the prompt', /> /);
    chat.type('\x04');
    expect(await chat.exited()).toBe(0);
    expect(chat.screen().endsWith('␛[?2004l')).toBe(true);
    expect(await readFile(join(folder, 'serve-model', 'terminal-history'), 'utf8')).toContain('Who are you?\n');
  }, 180_000);

  it("shows the server's tools at work, and asks before one that may write", async () => {
    const chat = await openChat();
    chat.type('/set temperature 0\r');
    await chat.waitFor('the next prompt', prompt);
    chat.type('What is the weather in Paris?\r');
    await chat.waitFor('the question', /→ get_weather \{"city": "Paris"\}[\s\S]*May it call get_weather\?/);
    chat.type('y');
    const rest = await chat.waitFor('the result', /← sunny in Paris, 21 degrees[\s\S]*\n[^\n]*> /);
    expect(rest).not.toContain('denied');
    chat.type('/bye\r');
    expect(await chat.exited()).toBe(0);
  }, 120_000);

  it('says what a server refuses and goes on', async () => {
    const chat = await openChat();
    chat.type(`\x1b[200~${'word '.repeat(6000)}\r\x1b[201~\r`);
    await chat.waitFor('the refusal', /␛\[33m[^␛]*context[^␛]*␛\[39m/);
    chat.type('/bye\r');
    expect(await chat.exited()).toBe(0);
  }, 120_000);
});

describe('serve-model run and chat in pipes', () => {
  it('answer once, without colours and thoughts, with the model that is named', async () => {
    const { code, out, error } = await pipe(['run', 'serve-model-demo', 'Who', 'are you?']);
    expect([code, error]).toEqual([0, '']);
    expect(out).toMatch(/demo model.*\n$/);
    expect(out).not.toContain('\x1b');
    expect(out).not.toContain('The user');
  });

  it('say which models there are, and that nothing was asked', async () => {
    const none = await pipe(['run', 'nothing', 'Hi']);
    expect(none).toMatchObject({ code: 1, out: '' });
    expect(none.error).toContain('There is no model "nothing" here. Known: "serve-model-demo"');
    expect(await pipe(['chat'])).toMatchObject({ code: 1, error: expect.stringContaining('Nothing was asked') });
  });

  it('start a server of their own where none has the model, which ends with them', async () => {
    const alone = { XDG_RUNTIME_DIR: folder, XDG_DATA_HOME: folder };
    const flags = ['--threads', '1', '--no-flash-attn', '--ctx-size', '1024', '--admin-token', 'x'];
    const { code, out, error } = await pipe(['run', demoModelPath, 'Who are you?', ...flags], alone);
    expect(code, error).toBe(0);
    expect(out).toContain('demo model');
    expect(out).not.toContain('listening');
    const chat = await pipe(['chat', 'Hi'], alone);
    expect(chat).toMatchObject({ code: 1, error: expect.stringContaining('No server of yours') });
  }, 120_000);

  it('stop the answer on Ctrl-C and end with 130', async () => {
    const command = runCommand(['chat', 'Tell me a very long story with many chapters.'], own());
    commands.push(command);
    while (command.out() === '')
      await withDeadline('the story', new Promise((done) => command.child.stdout.once('data', done)));
    command.child.kill('SIGINT');
    expect(await command.exited()).toBe(130);
    expect(command.error()).toBe('serve-model: Stopped.\n');
    await untilIdle();
  }, 120_000);
});
