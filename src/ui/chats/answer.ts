import type { Chunk } from './chunk.ts';
import type { LensToken, PlacedToken } from './lens.ts';
import type { AssistantMessage, Block, Outcome } from './message.ts';
import type { ServerToolStep } from './server-tool.ts';

export interface Now {
  /** Milliseconds, monotonic: when this chunk came. */
  readonly at: number;
  /** Tokens that the context has left, where that is known: tells the two limits apart. */
  readonly contextSize: number | undefined;
}

/** An answer as it grows, chunk by chunk. */
export interface Growing {
  readonly message: AssistantMessage;
  /** When the thought that is open now began, and how many pieces it has so far. */
  readonly thought?: { readonly since: number; readonly pieces: number };
  /** Blocks of tool calls by the index that the chunks give them. */
  readonly callAt: Readonly<Record<number, number>>;
  /** Of its texts, as far as they came with their probability. */
  readonly tokens: readonly PlacedToken[];
}

/** `tokens`: of what is there already. */
export function beginAnswer(message: AssistantMessage, tokens: readonly PlacedToken[] = []): Growing {
  return { message, callAt: {}, tokens };
}

/** The answer with what the chunk adds. */
export function grow(before: Growing, chunk: Chunk, now: Now): Growing {
  let after = before;
  if (chunk.thought) after = addThought(after, chunk.thought, now.at);
  if (chunk.text) after = addText(after, chunk.text, now.at);
  if (chunk.tokens) after = addTokens(after, chunk.tokens, chunk.text ?? '');
  for (const call of chunk.calls) after = addCall(after, call, now.at);
  if (chunk.serverTool) after = addStep(after, chunk.serverTool, now.at);
  const { model, seed, figures, finish } = chunk;
  const facts = {
    ...(model !== undefined && { model }),
    ...(seed !== undefined && { seed }),
    ...(figures && { figures }),
  };
  if (finish !== undefined) after = endThought(after, now.at);
  let message: AssistantMessage = { ...after.message, ...facts };
  if (finish !== undefined) message = { ...message, outcome: outcomeOf(chunk) };
  if (figures) message = withFigures(message, now.contextSize);
  return { ...after, message };
}

/** The answer as it is when nothing more comes. */
export function endAnswer(growing: Growing, outcome: Outcome, at: number): AssistantMessage {
  const { message } = endThought(growing, at);
  return { ...message, outcome: message.outcome ?? outcome };
}

function outcomeOf({ finish, cancelled }: Chunk): Outcome {
  if (cancelled) return 'stopped';
  if (finish === 'length') return 'length';
  return finish === 'tool_calls' ? 'calls' : 'stop';
}

/** Only the counts tell whether an answer met its own limit or the context's. */
function withFigures(message: AssistantMessage, contextSize: number | undefined): AssistantMessage {
  const { figures, outcome, blocks } = message;
  if (!figures) return message;
  const full = contextSize !== undefined && figures.promptTokens + figures.answerTokens >= contextSize;
  const thoughts = blocks.filter(({ kind }) => kind === 'thought').length;
  return {
    ...message,
    ...(outcome === 'length' && full && { outcome: 'context' as const }),
    // With several thoughts the server's one count cannot be shared out: the pieces stay.
    blocks: blocks.map((block) =>
      block.kind === 'thought' && thoughts === 1 ? { ...block, tokens: figures.thoughtTokens } : block,
    ),
  };
}

function addThought(growing: Growing, delta: string, at: number): Growing {
  const last = growing.message.blocks.at(-1);
  const open = growing.thought ?? { since: at, pieces: 0 };
  const thought = { since: open.since, pieces: open.pieces + 1 };
  if (last?.kind === 'thought') return { ...replaceLast(growing, { ...last, text: last.text + delta }), thought };
  return { ...push(growing, { kind: 'thought', text: delta }), thought };
}

function endThought(growing: Growing, at: number): Growing {
  const { thought, ...rest } = growing;
  const index = growing.message.blocks.findLastIndex(({ kind }) => kind === 'thought');
  const block = growing.message.blocks[index];
  if (!thought || block?.kind !== 'thought') return growing;
  const blocks = [...growing.message.blocks];
  // A thought that is continued goes on from what it took before.
  blocks[index] = {
    ...block,
    ms: (block.ms ?? 0) + (at - thought.since),
    tokens: (block.tokens ?? 0) + thought.pieces,
  };
  return { ...rest, message: { ...growing.message, blocks } };
}

function addText(growing: Growing, delta: string, at: number): Growing {
  const ended = endThought(growing, at);
  const last = ended.message.blocks.at(-1);
  if (last?.kind === 'text') return replaceLast(ended, { ...last, text: last.text + delta });
  return push(ended, { kind: 'text', text: delta });
}

/** They came with the last piece of the text. */
function addTokens(growing: Growing, tokens: readonly LensToken[], delta: string): Growing {
  const block = growing.message.blocks.findLastIndex(({ kind }) => kind === 'text');
  const text = growing.message.blocks[block];
  if (text?.kind !== 'text') return growing;
  const from = text.text.length - delta.length;
  return { ...growing, tokens: [...growing.tokens, ...tokens.map((token) => ({ ...token, block, from }))] };
}

function addCall(growing: Growing, { index, id, name, arguments: more }: Chunk['calls'][number], at: number): Growing {
  const known = growing.callAt[index];
  const block = known === undefined ? undefined : growing.message.blocks[known];
  if (known === undefined || block?.kind !== 'call') {
    const ended = endThought(growing, at);
    const begun = push(ended, { kind: 'call', id: id ?? `${index}`, name: name ?? '', arguments: more ?? '' });
    return { ...begun, callAt: { ...growing.callAt, [index]: begun.message.blocks.length - 1 } };
  }
  const blocks = [...growing.message.blocks];
  blocks[known] = { ...block, name: block.name || (name ?? ''), arguments: block.arguments + (more ?? '') };
  return { ...growing, message: { ...growing.message, blocks } };
}

/** A model may count its calls anew in each round: an id that has its result already is another call. */
function addStep(growing: Growing, step: ServerToolStep, at: number): Growing {
  const known = growing.message.blocks.findLastIndex(
    (block) => block.kind === 'call' && block.server === step.server && block.id === step.id && !block.result,
  );
  const { id, server, name } = step;
  const last = growing.message.blocks.at(-1);
  const behindResults = last?.kind === 'call' && last.result !== undefined;
  const call: Block = { kind: 'call', id, server, name, arguments: '', ...(behindResults && { behindResults }) };
  const begun: Growing = known < 0 ? push(endThought(growing, at), call) : growing;
  const index = known < 0 ? begun.message.blocks.length - 1 : known;
  const blocks = begun.message.blocks.map((block, place) =>
    place === index && block.kind === 'call' ? stepped(block, step) : block,
  );
  return { ...begun, message: { ...begun.message, blocks } };
}

function stepped(call: Extract<Block, { kind: 'call' }>, step: ServerToolStep): Block {
  const { state, argumentsDelta = '', result, ms } = step;
  const isError = state === 'failed' || state === 'denied';
  return {
    ...call,
    state,
    arguments: step.arguments ?? call.arguments + argumentsDelta,
    ...(result !== undefined && { result: { text: result, isError } }),
    ...(ms !== undefined && { ms }),
  };
}

function push(growing: Growing, block: Block): Growing {
  return { ...growing, message: { ...growing.message, blocks: [...growing.message.blocks, block] } };
}

function replaceLast(growing: Growing, block: Block): Growing {
  return { ...growing, message: { ...growing.message, blocks: [...growing.message.blocks.slice(0, -1), block] } };
}
