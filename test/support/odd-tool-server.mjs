// A server of tools that does what servers should not do, over stdio, by hand: one JSON-RPC message a line.
import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const note = (text) => process.env.ODD_NOTES && appendFileSync(process.env.ODD_NOTES, `${text}\n`);
let names = ['crash', 'hang', 'slow', 'flood', 'noise', 'fail', 'refuse', 'odd', 'change', 'together', 'garbage'];
if (process.env.ODD_PICTURE) names = ['look', 'look_badly'];
let together = [];

const schema = { type: 'object', properties: {} };
const results = {
  fail: () => ({ content: [{ type: 'text', text: 'it went wrong' }], isError: true }),
  look: () => ({
    content: [{ type: 'image', data: readFileSync(process.env.ODD_PICTURE, 'base64'), mimeType: 'image/png' }],
  }),
  look_badly: () => ({ content: [{ type: 'image', data: 'QUJD', mimeType: 'image/png' }] }),
  odd: () => ({
    content: [
      { type: 'hologram', data: 'x' },
      { type: 'image', data: 'QUJD', mimeType: 'image/png' },
      { type: 'resource', resource: { uri: 'file:///a.txt', text: 'the text of a resource' } },
      { type: 'resource', resource: { uri: 'file:///a.bin', blob: 'QUJD', mimeType: 'application/x' } },
      { type: 'resource_link', uri: 'file:///b.txt', name: 'b' },
      'not even an object',
    ],
  }),
  flood: () => ({ content: [{ type: 'text', text: 'x'.repeat(11 * 1024 * 1024) }] }),
  noise: () => {
    for (let line = 0; line < 2000; line++)
      process.stderr.write(`line ${line} ${'y'.repeat(100)} ${process.env.ODD_KEY}\n`);
    return { content: [{ type: 'text', text: `the key is ${process.env.ODD_KEY}` }] };
  },
  change: () => {
    names = ['fail', 'new'];
    send({ method: 'notifications/tools/list_changed' });
    return { content: [{ type: 'text', text: 'changed' }] };
  },
};

function call(id, { name, _meta }) {
  note(`call ${name}`);
  if (name === 'crash') process.exit(1);
  if (name === 'hang') return;
  if (name === 'refuse') return send({ id, error: { code: -32000, message: 'not today' } });
  if (name === 'garbage') process.stdout.write('this is no JSON\n');
  if (name === 'together') {
    together.push(id);
    if (together.length < 2) return;
    for (const each of together) send({ id: each, result: { content: [{ type: 'text', text: 'both' }] } });
    together = [];
    return;
  }
  if (name === 'slow') {
    let told = 0;
    const timer = setInterval(() => {
      told++;
      send({ method: 'notifications/progress', params: { progressToken: _meta?.progressToken, progress: told } });
      if (told < 6) return;
      clearInterval(timer);
      send({ id, result: { content: [{ type: 'text', text: 'done at last' }] } });
    }, 150);
    return;
  }
  send({ id, result: results[name]?.() ?? { content: [] } });
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize')
    send({
      id,
      result: {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: 'odd', version: '1' },
      },
    });
  else if (method === 'tools/list')
    send({ id, result: { tools: names.map((name) => ({ name, inputSchema: schema })) } });
  else if (method === 'tools/call') call(id, params);
  else if (method === 'notifications/cancelled') note('cancelled');
});
process.stdin.on('end', () => process.exit(0));
note(`pid ${process.pid}`);
