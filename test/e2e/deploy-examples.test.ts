import { request } from 'node:http';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../../src/config.ts';
import { type RunningServer, startServer } from '../../src/main.ts';
import { type Container, containers, documents } from '../deploy/examples.ts';
import { demoModelPath } from '../support/demo-engine.ts';

/** Which metric each scorer of the endpoint picker reads when it is told nothing else, and the labels it needs. */
const read: Readonly<Record<string, { metric: string; labels: readonly string[] }>> = {
  'queue-scorer': { metric: 'vllm:num_requests_waiting', labels: [] },
  'kv-cache-utilization-scorer': { metric: 'vllm:kv_cache_usage_perc', labels: [] },
  'prefix-cache-scorer': { metric: 'vllm:cache_config_info', labels: ['block_size', 'num_gpu_blocks'] },
};

/** As the example starts it, with the demo model for the volume and a free port. */
function start(file: string, { args }: Container): Promise<RunningServer> {
  const own = args
    .filter((argument) => !/^--(port|parallel)=/.test(argument))
    .map((argument) => argument.replace(/^\/.*models$/, dirname(demoModelPath)).replace('{{.Name}}', 'my-model'));
  const small = ['--port=0', '--threads=1', '--no-flash-attn', '--ctx-size=512', '--parallel=2', '--log-level=silent'];
  const command = parseConfig([...own, ...small], hasKey(file) ? { SERVE_MODEL_API_KEYS: 'the-key' } : {});
  if (command.command !== 'serve') throw new Error('not a command that serves');
  return startServer(command.config, { progress: () => undefined });
}

function hasKey(file: string): boolean {
  return JSON.stringify(documents(file)).includes('"name":"SERVE_MODEL_API_KEYS"');
}

describe.each(containers())('the server of %s', (file, container) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await start(file, container);
  });
  afterAll(() => server.close());

  /** As the kubelet and gateways ask: the address of the pod as Host. */
  function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `http://127.0.0.1:${new URL(server.url).port}${path}`,
        { headers: { host: '10.1.2.3:8080', ...headers } },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      outgoing.on('error', reject).end();
    });
  }

  const key: Record<string, string> = hasKey(file) ? { authorization: 'Bearer the-key' } : {};
  const probes = { startup: container.startupProbe, ready: container.readinessProbe, alive: container.livenessProbe };
  const paths = Object.entries(probes).map(([name, { httpGet }]) => [name, httpGet.path] as const);

  it('is well by each of its probes, which bring no key', async () => {
    for (const [name, path] of paths) expect([name, (await get(path)).status]).toEqual([name, 200]);
  });

  it('has the metrics that scrapers and the endpoint picker look for, and they move', async () => {
    const [annotated] = JSON.stringify(documents(file)).match(/(?<=\/path":")[^"]+/) ?? [];
    expect(annotated).toBe('/metrics');
    const { plugins } = z
      .object({ plugins: z.array(z.object({ type: z.string() })) })
      .parse(documents('llm-d-router/epp.yaml')[0]);
    const scorers = plugins.map(({ type }) => type).filter((type) => type.endsWith('-scorer'));
    expect(scorers).toEqual(Object.keys(read));
    const { text } = await get('/metrics');
    for (const { metric, labels } of scorers.flatMap((type) => read[type] ?? [])) {
      expect(text).toContain(`# TYPE ${metric} gauge`);
      const row = text.split('\n').find((line) => line.startsWith(`${metric}{`)) ?? '';
      for (const label of ['model_name', ...labels]) expect(row).toMatch(new RegExp(`[{,]${label}="[^"]+"`));
    }
    expect(usage(text)).toBe(0);
    expect((await chat()).status).toBe(200);
    expect(usage((await get('/metrics')).text)).toBeGreaterThan(0);
  });

  it('answers under the name and the paths that the gateways route', async () => {
    const list: unknown = JSON.parse((await get('/v1/models', key)).text);
    expect(list).toMatchObject({ data: [{ id: 'my-model' }] });
    const [, route] = documents('inference-pool.yaml');
    expect(route).toMatchObject({ spec: { rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/v1' } }] }] } });
    const lite = z
      .object({
        model_list: z.array(
          z.object({
            litellm_params: z.object({ model: z.string(), api_base: z.string() }),
            model_info: z.object({ supported_endpoints: z.array(z.string()) }),
          }),
        ),
      })
      .parse(documents('litellm.yaml')[0]);
    for (const { litellm_params, model_info } of lite.model_list) {
      expect(litellm_params).toMatchObject({ model: 'openai/my-model', api_base: expect.stringMatching(/:8080\/v1$/) });
      for (const path of model_info.supported_endpoints) expect((await chat(path)).status).toBe(200);
    }
  });

  it('leaves the Service while it drains, and is not killed for it', async () => {
    const draining = server.drain();
    const states = await Promise.all(paths.map(async ([name, path]) => [name, (await get(path)).status]));
    expect(Object.fromEntries(states)).toMatchObject({ ready: 503, alive: 200 });
    await draining;
  });

  function chat(path = '/v1/chat/completions'): Promise<Response> {
    const text = 'Who are you?';
    const messages = [{ role: 'user', content: text }];
    return fetch(`http://127.0.0.1:${new URL(server.url).port}${path}`, {
      method: 'POST',
      headers: key,
      body: JSON.stringify({
        model: 'my-model',
        max_tokens: 8,
        ...(path.endsWith('responses') ? { input: text } : { messages }),
      }),
    });
  }
});

function usage(page: string): number {
  const row = page.split('\n').find((line) => line.startsWith('vllm:kv_cache_usage_perc{'));
  return Number(row?.split(' ').at(-1) ?? Number.NaN);
}
