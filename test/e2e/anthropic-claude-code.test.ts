import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';

/**
 * Requests in the shape that Claude Code sends them: a bookkeeping line that changes every time, long system blocks and
 * 15 tools with cache_control, reminders beside the user's words, adaptive thinking, tool results, and more max_tokens
 * than a local model has. What counts: from the second turn on nearly all of the prompt comes from the cache.
 */
let server: RunningServer;
let client: Anthropic;

beforeAll(async () => {
  server = await startDemoServer(['--ctx-size', '4096', '--parallel', '2']);
  client = new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 0 });
});

afterAll(() => server?.close());

const cached = { cache_control: { type: 'ephemeral' } } as const;
const fifteen = ['Task', 'Bash', 'Glob', 'Grep', 'LS', 'Read', 'Edit', 'MultiEdit', 'Write', 'NotebookEdit'].concat([
  'WebFetch',
  'TodoWrite',
  'WebSearch',
  'BashOutput',
  'KillShell',
]);

const tools = fifteen.map(
  (name): Anthropic.Tool => ({
    name,
    description: `Tool ${name}. Use it when the user asks for it.`,
    input_schema: {
      type: 'object',
      properties: { path: { type: 'string', description: 'File' } },
      required: ['path'],
      additionalProperties: false,
    },
  }),
);

/** `turn` stands for what is new in every request. */
function system(turn: number): Anthropic.TextBlockParam[] {
  const line = `x-anthropic-billing-header: cc_version=2.1.${turn}.0d9; cc_entrypoint=cli; cch=fa69${turn};`;
  return [
    { type: 'text', text: line },
    { type: 'text', text: 'You are a helpful assistant.', ...cached },
    { type: 'text', text: 'Keep to these rules. Be brief. Say what you did. '.repeat(20), ...cached },
  ];
}

const reminder = { type: 'text', text: '<system-reminder>Today is Monday.</system-reminder>' } as const;

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: Anthropic.ContentBlockParam[];
}

function request(turn: number, messages: readonly Turn[]): Anthropic.Beta.MessageCreateParamsStreaming {
  return {
    model: 'claude-sonnet-5',
    max_tokens: 32_000,
    system: system(turn),
    tools,
    thinking: { type: 'adaptive' },
    metadata: { user_id: 'user_1_account_2_session_3' },
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
    stream: true,
    messages: withMovingMark(messages),
  };
}

/** The mark of the cache stands on the last message only, so each message loses it one turn later. */
function withMovingMark(messages: readonly Turn[]): Turn[] {
  return messages.map(({ role, content }, index) => {
    const isMarked = (at: number) => index === messages.length - 1 && at === content.length - 1;
    return { role, content: content.map((block, at) => (isMarked(at) ? { ...block, ...cached } : block)) };
  });
}

const ask = async (turn: number, messages: readonly Turn[]) =>
  client.beta.messages
    .stream(
      {
        ...request(turn, messages),
        max_tokens: 60,
        temperature: 0,
        // Every second answer is a call, so that the next turn brings its result.
        tool_choice: turn % 2 === 0 ? { type: 'any' } : { type: 'auto' },
      },
      { headers: { 'anthropic-beta': 'claude-code-20250219', 'x-claude-code-session-id': 'session-3' } },
    )
    .finalMessage();

describe('a session of Claude Code', () => {
  it('has at least 95 % of its prompt from the cache from the second turn on', async () => {
    const messages: Turn[] = [{ role: 'user', content: [reminder, { type: 'text', text: 'Hello!' }] }];
    const shares: number[] = [];
    for (let turn = 1; turn <= 6; turn += 1) {
      const { content, usage } = await ask(turn, messages);
      const read = usage.cache_read_input_tokens ?? 0;
      shares.push(read / (usage.input_tokens + read + (usage.cache_creation_input_tokens ?? 0)));
      messages.push({ role: 'assistant', content: content.flatMap(toParam) }, nextUserTurn(turn, content));
    }
    const results = messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool_result'));
    expect(results.length).toBeGreaterThanOrEqual(3);
    expect(Math.min(...shares.slice(1)), `shares by turn: ${shares.join(', ')}`).toBeGreaterThan(0.95);
  });

  it('is served with all that it asks for, whatever it does not fit', async () => {
    const stream = await client.beta.messages.create(
      request(1, [{ role: 'user', content: [{ type: 'text', text: 'Hello!' }] }]),
    );
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      if (types.length > 6) break;
    }
    expect(types.slice(0, 2)).toEqual(['message_start', 'content_block_start']);
  });
});

function toParam(block: Anthropic.Beta.BetaContentBlock): Anthropic.ContentBlockParam[] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: block.text }];
    case 'thinking':
      return [{ type: 'thinking', thinking: block.thinking, signature: block.signature }];
    case 'tool_use':
      return [{ type: 'tool_use', id: block.id, name: block.name, input: block.input }];
    default:
      return [];
  }
}

/** The results of all calls, as if they had been carried out, and the user's next words. */
function nextUserTurn(turn: number, content: readonly Anthropic.Beta.BetaContentBlock[]): Turn {
  const results = content.flatMap((block): Anthropic.ToolResultBlockParam[] =>
    block.type === 'tool_use'
      ? [{ type: 'tool_result', tool_use_id: block.id, content: [{ type: 'text', text: 'done' }] }]
      : [],
  );
  return { role: 'user', content: [...results, { type: 'text', text: `Thank you! Turn ${turn} is over.` }] };
}
