/**
 * `serve-model launch` with the real agents: each is asked one question of the demo model, in a home and a project of its
 * own, and must reach an answer of this server without a change outside its folder. The agents are installed by whoever
 * runs this (`npm install --prefix FOLDER @openai/codex ...`); they are no part of this package.
 * `npm run try:agents -- FOLDER [NAME...]`
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

const [installed, ...wanted] = process.argv.slice(2);
if (installed === undefined)
  throw new Error('Write npm run try:agents -- FOLDER, where FOLDER/node_modules has the agents.');
const { parseConfig } = await import('../dist/config.js');
const { startServer } = await import('../dist/main.js');
const { agents } = await import('../dist/launch/agents.js');

/** What makes each of them answer one question and end. */
const once = {
  claude: ['-p', 'Say hello.'],
  codex: ['exec', '--skip-git-repo-check', 'Say hello.'],
  opencode: ['run', 'Say hello.'],
  copilot: ['-p', 'Say hello.'],
  qwen: ['-p', 'Say hello.'],
  cline: ['--retries', '1', 'Say hello.'],
};
/** The demo model writes nonsense behind prompts of this length, and may call tools for ever. */
const patienceMs = 150_000;

const folder = mkdtempSync(join(tmpdir(), 'try-agents-'));
const flags = [
  '--port',
  '0',
  '--log-level',
  'silent',
  '--ctx-size',
  '65536',
  '--parallel',
  '1',
  '--chat-store',
  'off',
  '--max-predict-seconds',
  '30',
];
const { config } = parseConfig(flags, {});
const server = await startServer({ ...config, apiKey: ['try-agents'] }, { progress: () => undefined });

async function usage() {
  const headers = { authorization: 'Bearer try-agents' };
  const { keys } = await (await fetch(`${server.url}/internal/usage`, { headers })).json();
  const [{ requests = 0, prompt_tokens: tokens = 0 } = {}] = keys;
  return { requests, tokens };
}

/** Settles with its exit code, or `stopped` once it had an answer or was given up. */
function run(name) {
  const home = join(folder, name, 'home');
  const project = join(folder, name, 'project');
  for (const each of [home, project]) mkdirSync(each, { recursive: true });
  const words = [resolve(import.meta.dirname, '../dist/cli/serve-model.js'), 'launch', name, '--', ...once[name]];
  const child = spawn(process.execPath, words, {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: {
      PATH: [join(resolve(installed), 'node_modules', '.bin'), process.env.PATH].join(delimiter),
      HOME: home,
      XDG_DATA_HOME: join(folder, name, 'data'),
      SERVE_MODEL_URL: server.url,
      SERVE_MODEL_API_KEY: 'try-agents',
      TERM: 'dumb',
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  return new Promise((done) => {
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), patienceMs);
    child.once('close', (code) => {
      clearTimeout(timer);
      done({ code: code ?? 'stopped', said, home });
    });
  });
}

let failed = false;
for (const name of wanted.length > 0 ? wanted : Object.keys(agents)) {
  const before = await usage();
  const { code, said, home } = await run(name);
  const after = await usage();
  const requests = after.requests - before.requests;
  if (requests === 0) failed = true;
  const changed = readdirSync(home).join(', ') || 'nothing';
  console.log(
    `${name}: ${requests} answers, ${after.tokens - before.tokens} prompt tokens, exit ${code}; in its home: ${changed}`,
  );
  if (requests === 0) console.log(said.slice(-2000));
}
await server.close();
rmSync(folder, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
