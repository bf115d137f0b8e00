import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../src/main.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { runCommand, startProcess, withDeadline } from '../support/serve-process.ts';

let folder = '';
const endless = '{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}';
/** Sound, but for what one of its words does to whoever renders it. */
const moody = `{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% if 'endless' in m.content %}${endless}{% endif %}
{%- if 'deep' in m.content %}{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}{% endif %}
{%- endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-templates-'));
  await writeFile(join(folder, 'endless.jinja'), endless);
  await copyFile(bundledModelPath, join(folder, 'other.gguf'));
});
afterAll(() => rm(folder, { recursive: true }));

const late = /chat template was not done within 10 seconds when it was tried/;

describe('a template that never ends', () => {
  it('does not keep a start or a look at the model for ever', async () => {
    const flags = ['--chat-template-file', join(folder, 'endless.jinja')];
    const started = startProcess(flags, { HOME: folder });
    const inspected = runCommand(['inspect', bundledModelPath, ...flags], { HOME: folder });
    expect(await Promise.all([started.exited(), inspected.exited()])).toEqual([1, 1]);
    expect(started.error()).toMatch(late);
    expect(inspected.error()).toMatch(late);
  });

  it('lets a signal end the start that tries it', async () => {
    const started = startProcess(['--chat-template-file', join(folder, 'endless.jinja')], { HOME: folder });
    await withDeadline('the first words', new Promise((resolve) => started.child.stderr.once('data', resolve)));
    started.child.kill('SIGTERM');
    expect(await started.exited()).toBe(0);
    // It was not the template's own time that was over.
    expect(started.error()).not.toMatch(late);
  });
});

const answerBody = z.looseObject({ error: z.looseObject({ message: z.string(), code: z.string() }).optional() });

describe('a template that some messages hang or crash', () => {
  let server: RunningServer;
  beforeAll(async () => {
    const template = join(folder, 'moody.jinja');
    await writeFile(template, moody);
    const flags = ['--chat-template-file', template, '--models-dir', folder, '--ctx-size', '512', '--parallel', '2'];
    server = await startDemoServer(flags);
  });
  afterAll(() => server.close());

  async function post(path: string, body: object) {
    const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, body: answerBody.parse(await response.json()) };
  }
  const ask = (content: string) =>
    post('/v1/chat/completions', { messages: [{ role: 'user', content }], max_tokens: 4, ignore_eos: true });

  it('fails that request alone: others are answered before it is', async () => {
    const order: string[] = [];
    const asked = async (content: string) => {
      const answer = await ask(content);
      order.push(content);
      return answer;
    };
    const [hung, ...others] = await Promise.all(['endless', 'hello', 'there'].map(asked));
    expect(others.map(({ status }) => status)).toEqual([200, 200]);
    expect(order.at(-1)).toBe('endless');
    expect(hung).toMatchObject({ status: 400, body: { error: { code: 'invalid_value' } } });
    expect(hung?.body.error?.message).toMatch(/was not done within 10 seconds with these messages/);
  });

  it('survives a crash of the engine that renders', async () => {
    const crashed = await ask('deep');
    expect(crashed).toMatchObject({ status: 400 });
    expect((await ask('hello')).status).toBe(200);
  });

  it('is refused when a load brings it, before the running model is touched', async () => {
    const load = post('/api/inference/load', { model_path: 'other', chat_template_override: endless });
    expect((await ask('hello')).status).toBe(200);
    const { status, body } = await load;
    expect([status, body.error?.message]).toEqual([400, expect.stringMatching(late)]);
    expect((await ask('hello')).status).toBe(200);
  });
});
