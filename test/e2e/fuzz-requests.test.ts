import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runs } from '../support/runs.ts';
import { type ServeProcess, startProcess } from '../support/serve-process.ts';
import { writeTinyAdapter } from '../support/tiny-models.ts';
import { hostileRequest } from './fuzz/hostile-generation.ts';
import { faultOf, send } from './fuzz/send.ts';

/** `npm run fuzz:requests` makes them 2,000. */
const count = runs(60);
const firstSeed =
  process.env.FUZZ_SEED === 'random' ? Date.now() % 1_000_000_000 : Number(process.env.FUZZ_SEED ?? 20_262);
const facts = { contextSize: 512, vocabularySize: 2048 };
const parallel = 4;
const roundSize = 40;
const patienceMs = 60_000;

const slotsBody = z.array(z.looseObject({ is_processing: z.boolean() }));
const answerBody = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })) });

describe(`${count} hostile requests from seed ${firstSeed} on`, () => {
  let folder = '';
  let server: ServeProcess;
  let url = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-fuzz-'));
    const adapters = [1, 2].flatMap((seed) => {
      const path = join(folder, `adapter-${seed}.gguf`);
      writeTinyAdapter(path, seed);
      return ['--lora', `${path}:0`];
    });
    const shape = ['--ctx-size', String(facts.contextSize), '--parallel', String(parallel), '--max-queue', '1000'];
    server = startProcess([...shape, ...adapters]);
    url = await server.ready(2 * patienceMs);
  }, 3 * patienceMs);
  afterAll(async () => {
    server.child.kill('SIGTERM');
    expect(await server.exited()).toBe(0);
    await rm(folder, { recursive: true });
  });

  async function hello(): Promise<string | undefined> {
    const body = { messages: [{ role: 'user', content: 'Hello!' }], temperature: 0, max_tokens: 24 };
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`"Hello!" gets ${response.status} ${text}; the server says ${server.error()}`);
    return answerBody.parse(JSON.parse(text)).choices[0]?.message.content;
  }

  /** A client that left may have been in the middle of something. */
  async function idle(): Promise<void> {
    for (const giveUp = performance.now() + patienceMs; ; ) {
      const slots = slotsBody.parse(await (await fetch(`${url}/slots`)).json());
      if (slots.every(({ is_processing }) => !is_processing)) return;
      if (performance.now() > giveUp) throw new Error(`slots are in use by nobody: ${JSON.stringify(slots)}`);
    }
  }

  it('are answered whole or refused in a sentence, and leave nothing behind', {
    timeout: 120_000 + count * 3000,
  }, async () => {
    const usual = await hello();
    expect(usual).toBeTruthy();
    const faults: string[] = [];
    for (let start = 0; start < count; start += roundSize) {
      let next = start;
      const work = async () => {
        for (let at = next++; at < Math.min(start + roundSize, count); at = next++) {
          const request = hostileRequest(firstSeed + at, facts);
          const fault = await send(url, request, patienceMs).then(faultOf, (error: Error) => error.message);
          if (fault !== undefined)
            faults.push(`${request.name}: ${fault}\n  ${request.path} ${request.body.slice(0, 1500)}`);
        }
      };
      await Promise.all(Array.from({ length: 2 * parallel }, work));
      expect(server.child.exitCode ?? server.child.signalCode, server.error()).toBeNull();
      await idle();
      // On every slot at once.
      const answers = await Promise.all(Array.from({ length: parallel }, hello));
      for (const answer of answers) if (answer !== usual) faults.push(`after round ${start}, "Hello!" gives ${answer}`);
    }
    expect(faults.join('\n')).toBe('');
  });
});
