// The package as a user gets it: packs it, installs the tarball in an empty folder, runs `npx serve-model` there on a
// free port, asks it one thing and stops it. Needs the package registry.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'serve-model-package-'));
const windows = process.platform === 'win32';

function run(command, args, cwd) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], shell: windows });
}

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function until(what, seconds, attempt) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const result = await attempt();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

function startServer(cwd, port) {
  // A group of its own, so that npx and the server behind it can be stopped together.
  const child = spawn('npx', ['--no-install', 'serve-model', '--port', String(port), '--ctx-size', '1024'], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: !windows,
    shell: windows,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const exited = new Promise((done) => child.once('exit', done));
  return { child, exited, output: () => output };
}

async function ask(port) {
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 32, temperature: 0 }),
    signal: AbortSignal.timeout(60_000),
  });
  const answer = await response.json();
  const message = answer.choices?.[0]?.message;
  if (!response.ok || !message) throw new Error(`the chat request failed: ${JSON.stringify(answer)}`);
  return message;
}

try {
  run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  const home = join(folder, 'home');
  mkdirSync(home);
  writeFileSync(join(home, 'package.json'), '{"private": true}\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball)], home);
  console.log(
    `installed ${tarball}: serve-model ${run('npx', ['--no-install', 'serve-model', '--version'], home).trim()}`,
  );

  const port = await freePort();
  const server = startServer(home, port);
  try {
    await until('the server is ready', 120, async () => {
      if (server.child.exitCode !== null) throw new Error(`the server ended:\n${server.output()}`);
      return fetch(`http://127.0.0.1:${port}/health`).then(
        (response) => response.ok,
        () => false,
      );
    });
    console.log(`answered: ${JSON.stringify(await ask(port))}`);
  } catch (error) {
    console.error(server.output());
    throw error;
  } finally {
    if (windows) server.child.kill();
    else process.kill(-server.child.pid, 'SIGTERM');
    await Promise.race([server.exited, new Promise((done) => setTimeout(done, 20_000).unref())]);
  }
  await until('the server is gone', 20, () =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      () => false,
      () => true,
    ),
  );
  console.log('package: ok');
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
