import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../../src/config.ts';
import { openDoor } from '../http/support.ts';

const folder = resolve(import.meta.dirname, '../../scripts/deploy');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));

function documents(file: string): unknown[] {
  return parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
}

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.union([z.number(), z.string()]) }) });
const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  startupProbe: probe,
  readinessProbe: probe,
  livenessProbe: probe,
});
type Container = z.output<typeof container>;

/** Every container of every file, wherever in its document it stands. */
function containers(): [string, Container][] {
  const found: [string, Container][] = [];
  const walk = (file: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('containers' in value && Array.isArray(value.containers))
      for (const entry of value.containers) found.push([file, container.parse(entry)]);
    for (const member of Object.values(value)) walk(file, member);
  };
  for (const file of files) for (const document of documents(file)) walk(file, document);
  return found;
}

describe('the deployment examples', () => {
  it('are all there and all YAML', () => {
    expect(files.sort()).toEqual([
      'inference-pool.yaml',
      'kserve.yaml',
      'kubernetes.yaml',
      'litellm.yaml',
      'llm-d-router/endpoints.yaml',
      'llm-d-router/envoy.yaml',
      'llm-d-router/epp.yaml',
    ]);
    for (const file of files) expect(documents(file).length).toBeGreaterThan(0);
  });

  it('start containers with arguments that the command takes', () => {
    const all = containers();
    expect(all.map(([file, { name }]) => [file, name])).toEqual([
      ['kserve.yaml', 'kserve-container'],
      ['kubernetes.yaml', 'serve-model'],
    ]);
    for (const [, { args }] of all) {
      const command = parseConfig(args, { SERVE_MODEL_API_KEYS: 'key' });
      expect(command).toMatchObject({
        command: 'serve',
        config: { model: [expect.stringMatching(/models$/)], port: 8080 },
      });
    }
  });

  it('probe paths that answer by the state of the server', async () => {
    const door = openDoor({ settings: { boundHost: '0.0.0.0' } });
    // The kubelet asks the pod's address.
    const status = async (path: string) =>
      (await door.app.request(path, { headers: { host: '10.1.2.3:8080' } })).status;
    for (const [, { startupProbe, readinessProbe, livenessProbe }] of containers()) {
      const paths = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet.path);
      door.models.current = 'ready';
      expect(await Promise.all(paths.map(status))).toEqual([200, 200, 200]);
      door.models.current = 'loading';
      expect(await Promise.all(paths.map(status))).toEqual([503, 503, 200]);
      door.models.current = 'draining';
      expect((await Promise.all(paths.map(status))).slice(1)).toEqual([503, 200]);
    }
  });

  it('give an answer more time than the server does', () => {
    const config = parseConfig([], {});
    if (config.command !== 'serve') throw new Error('no config');
    const { maxPredictSeconds, queueTimeout, drainTimeout } = config.config;
    const text = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
    const timeouts = [...text.matchAll(/(?:request|[^_]timeout): (\d+)s$/gm)].map((match) => Number(match[1]));
    const forAnswers = timeouts.filter((seconds) => seconds > 60);
    expect(forAnswers.length).toBeGreaterThanOrEqual(2);
    for (const seconds of forAnswers) expect(seconds).toBeGreaterThanOrEqual(maxPredictSeconds + queueTimeout);
    const grace = Number(/terminationGracePeriodSeconds: (\d+)/.exec(text)?.[1]);
    expect(grace).toBeGreaterThan(drainTimeout);
  });
});
