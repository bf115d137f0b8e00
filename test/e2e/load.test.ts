import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Listener } from '../../src/http/listen.ts';
import { listen } from '../../src/http/listen.ts';
import type { EmbeddedServer } from '../../src/index.ts';
import { createServer } from '../../src/index.ts';
import { until } from '../http/support.ts';
import { demoModelPath } from '../support/demo-engine.ts';

const connections = 500;
/** LOAD_SECONDS=60 for the long run. */
const milliseconds = Number(process.env.LOAD_SECONDS ?? 3) * 1000;

let server: EmbeddedServer;
let listener: Listener;
beforeAll(async () => {
  server = await createServer({ model: [demoModelPath], ctxSize: 512, parallel: 4, threads: 1, flashAttn: false });
  listener = await listen(server.app, {
    host: '127.0.0.1',
    port: 0,
    headerTimeoutMs: 15_000,
    requestTimeoutMs: 60_000,
  });
});
afterAll(async () => {
  await listener.close({ force: true });
  await server.close();
});

/** Asks again and again until the time is over; what it got each time. */
async function client(index: number, until: number): Promise<string[]> {
  const seen: string[] = [];
  while (performance.now() < until) {
    const response = await fetch(`${listener.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        messages: [{ role: 'user', content: `Question number ${index}: who are you?` }],
        stream: true,
        max_tokens: 20,
      }),
    });
    const text = await response.text();
    if (response.status === 200) seen.push(text.endsWith('data: [DONE]\n\n') ? 'answered' : `cut: ${text.slice(-200)}`);
    else seen.push(response.status === 429 && response.headers.has('retry-after') ? 'refused' : `${response.status}`);
  }
  return seen;
}

async function counted(outcome: RegExp): Promise<number> {
  const page = await (await fetch(`${listener.url}/metrics`)).text();
  const lines = page.split('\n').filter((line) => line.startsWith('serve_model_requests_total{') && outcome.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

describe('500 clients at once, most of them queued or refused', () => {
  it(
    'see answers and 429, nothing else, and the metrics have counted each',
    async () => {
      const before = sockets();
      const end = performance.now() + milliseconds;
      const all = (await Promise.all(Array.from({ length: connections }, (_, index) => client(index, end)))).flat();
      const answered = all.filter((result) => result === 'answered').length;
      const refused = all.filter((result) => result === 'refused').length;
      expect([...new Set(all)].sort()).toEqual(['answered', 'refused']);
      expect(answered).toBeGreaterThan(20);
      expect(await counted(/route="\/v1\/chat\/completions",status="200"/)).toBe(answered);
      expect(await counted(/route="\/v1\/chat\/completions",status="429"/)).toBe(refused);

      expect(server.engine.slots().every(({ phase }) => phase === 'idle')).toBe(true);
      const stats: unknown = await (await fetch(`${listener.url}/internal/stats`)).json();
      expect(stats).toMatchObject({ requests: 0, models: [{ scheduler: { queued: 0, preparing: 0, running: 0 } }] });
      await listener.close();
      await until('the sockets to be closed', () => sockets() <= before);
    },
    milliseconds + 60_000,
  );
});
