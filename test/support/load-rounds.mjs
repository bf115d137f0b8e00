/**
 * Serves the demo model and loads, uses and unloads a second one over and over; writes its own memory in bytes after each
 * round, one number a line. argv: the compiled `dist`, a folder with second.gguf, and how many rounds. Needs --expose-gc.
 */
const [dist, folder, rounds] = process.argv.slice(2);
const { parseConfig } = await import(`${dist}/config.js`);
const { startServer } = await import(`${dist}/main.js`);

const quick = ['--port', '0', '--threads', '1', '--no-flash-attn', '--log-level', 'silent'];
const { config } = parseConfig([...quick, '--ctx-size', '512', '--parallel', '2', '--models-dir', folder], {});
const server = await startServer(config, { progress: () => undefined });

async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  await response.json();
}

const messages = [{ role: 'user', content: 'Hello!' }];
for (let round = 0; round < Number(rounds); round++) {
  await post('/api/inference/load', { model_path: 'second', max_seq_length: 512 });
  await post('/v1/chat/completions', { model: 'second', messages, temperature: 0, max_tokens: 40 });
  await post('/api/inference/unload', { model_path: 'second' });
  globalThis.gc();
  console.log(process.memoryUsage.rss());
}
await server.close();
process.exit(0);
