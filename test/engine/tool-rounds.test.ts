import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GenerationEvent } from '../../src/contract/events.ts';
import { requestDefaults } from '../../src/contract/request.ts';
import type { ToolHost } from '../../src/contract/server-tools.ts';
import { systemTimers } from '../../src/contract/system-timers.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { createApprovalRegistry } from '../../src/generation/approvals.ts';
import { createToolHost } from '../../src/tools/host.ts';
import { startToolServers, type ToolServers } from '../e2e/mcp-support.ts';
import { conductorOver } from '../generation/conductor.ts';
import { until, within } from '../http/support.ts';
import { collect } from '../support/collect.ts';

/** A model that is told what to say, and a real server of tools over stdio and HTTP. */
let servers: ToolServers;
let host: ToolHost;

beforeAll(async () => {
  servers = await startToolServers();
  const { toolServers } = servers;
  host = createToolHost({
    servers: toolServers,
    toolAllow: [],
    clock: () => performance.now(),
    log: () => undefined,
    version: '1',
  });
}, 120_000);
afterAll(async () => {
  await host?.close();
  await servers?.close();
});

const call = (name: string, args: object) =>
  `<tool_call>\n{"name": "${name}", "arguments": ${JSON.stringify(args)}}\n</tool_call>`;

/** So many turns that call a tool of each server, then one that says it is done. */
function conductor(
  rounds: number,
  called = call('local__echo', { message: 'a' }) + call('web__echo', { message: 'b' }),
) {
  let turn = 0;
  const engine = createFakeEngine({
    slots: 2,
    contextSize: 100_000,
    answer: () => (turn++ < rounds ? called : 'Done.'),
  });
  let ids = 0;
  return conductorOver(
    engine,
    { contextSize: 100_000 },
    {
      family: 'hermes',
      tools: { host, approvals: createApprovalRegistry(systemTimers) },
      newToolCallId: () => `call_${++ids}`,
    },
  );
}

const request = {
  ...requestDefaults,
  prompt: {
    type: 'chat' as const,
    messages: [{ role: 'user' as const, content: 'Hello' }],
    tools: [],
    toolChoice: { type: 'auto' as const },
    reasoning: {},
    templateVariables: {},
    continueFinalMessage: true,
  },
  serverTools: {
    enabled: ['local__echo', 'web__echo', 'local__trigger-long-running-operation'],
    maxCalls: Number.POSITIVE_INFINITY,
    callTimeoutMs: 60_000,
    confirm: 'never' as const,
  },
};

/** Processes and sockets that this process holds. */
function held(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo())
    if (/Process|TCP|Pipe/.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

describe('rounds with a real server of tools', () => {
  it('a hundred of them leave no process, socket or listener behind', async () => {
    const { signal } = new AbortController();
    const rounds = async (count: number) =>
      within('the answer', collect(conductor(count).service.generate(request, signal)), 100_000);
    await rounds(3);
    const before = held();
    const { blocks } = await rounds(100);
    const results = blocks.flatMap((block) => (block.kind === 'tool-call' ? [block.result?.content] : []));
    expect(results).toHaveLength(200);
    expect(new Set(results)).toEqual(new Set(['Echo: a', 'Echo: b']));
    for (const [kind, count] of Object.entries(held())) expect(count, kind).toBeLessThanOrEqual(before[kind] ?? 0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  }, 120_000);

  it('a client that leaves in the middle ends the call, and both slots are free meanwhile', async () => {
    const slow = call('trigger-long-running-operation', { duration: 60, steps: 100 });
    const { service, scheduler } = conductor(1, slow);
    const leaving = new AbortController();
    const seen: GenerationEvent[] = [];
    const answer = (async () => {
      for await (const event of service.generate(request, leaving.signal)) seen.push(event);
    })();
    await until('it runs', () => seen.some(({ type }) => type === 'tool-state'), 30_000);
    const { serverTools: _, ...plain } = request;
    const others = [1, 2].map(() => collect(service.generate(plain, new AbortController().signal)));
    await within('the answers of others', Promise.all(others));
    leaving.abort(new Error('it left'));
    await expect(within('the end of the answer', answer)).rejects.toThrow();
    expect(scheduler.stats().running).toBe(0);
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
    // The server of tools is there for the next call.
    const next = await within(
      'the next answer',
      collect(conductor(1).service.generate(request, new AbortController().signal)),
      30_000,
    );
    expect(next.blocks.some((block) => block.kind === 'tool-call' && block.result?.content === 'Echo: a')).toBe(true);
  }, 90_000);
});
