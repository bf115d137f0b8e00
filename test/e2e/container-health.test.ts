import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { listen } from '../../src/http/listen.ts';
import { readDockerfile, texts } from '../deploy/dockerfile.ts';
import { openDoor } from '../http/support.ts';

const dockerfile = readFileSync(resolve(import.meta.dirname, '../../Dockerfile.cuda'), 'utf8');

it('the container is healthy when a model is ready', { timeout: 60_000 }, async () => {
  const [text = ''] = readDockerfile(dockerfile).flatMap((stage) => texts(stage, 'HEALTHCHECK'));
  const [, program = '', ...args] = z.array(z.string()).parse(JSON.parse(text.slice(text.indexOf('['))));
  const door = openDoor();
  const listener = await listen(door.app, {
    host: '127.0.0.1',
    port: 0,
    headerTimeoutMs: 15_000,
    requestTimeoutMs: 60_000,
  });
  const env = { PATH: process.env.PATH, SERVE_MODEL_PORT: new URL(listener.url).port };
  const healthy = () =>
    new Promise<number>((done) => {
      const child = execFile(process.execPath, [program, ...args], { env, timeout: 30_000 });
      child.once('exit', (code) => done(code ?? -1));
    });
  try {
    expect(await healthy()).toBe(0);
    door.models.current = 'loading';
    expect(await healthy()).toBe(1);
  } finally {
    await listener.close({ force: true });
  }
  expect(await healthy()).toBe(1);
});
