import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { openDoor } from '../http/support.ts';
import { containers, documents, files, folder } from './examples.ts';

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
