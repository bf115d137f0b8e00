import { member } from '../api/failure.ts';
import {
  type AnswerFigures,
  type AssistantMessage,
  type AttachedFile,
  type Block,
  type Failure,
  isCallState,
  isOutcome,
  type Message,
  type UserMessage,
} from './message.ts';

interface Place {
  readonly id: string;
  readonly parent: string | null;
  /** Unix milliseconds, where the message tells none. */
  readonly time: number;
}

/** A message as another client or a file has it, which may be anything: what is no part of one is left out. */
export function readMessage(wire: Readonly<Record<string, unknown>>, { id, parent, time }: Place): Message {
  const {
    role,
    content,
    blocks,
    files,
    model,
    outcome,
    figures,
    failure,
    seed,
    edited,
    muted,
    pinned,
    short,
    ...rest
  } = wire;
  const text = typeof content === 'string' && content !== '' ? [{ kind: 'text', text: content } as const] : [];
  const told = Array.isArray(blocks) ? blocks.flatMap(readBlock) : text;
  const marks = {
    ...(muted === true && { muted }),
    ...(pinned === true && { pinned }),
    ...(typeof short === 'string' && short !== '' && { short }),
  };
  const base = { ...rest, ...marks, id, parent, time: finite(wire, 'time') ?? time, blocks: told };
  if (role !== 'assistant') {
    const attached = Array.isArray(files) ? files.flatMap(readFile) : [];
    return { ...base, role: 'user', ...(attached.length > 0 && { files: attached }) } satisfies UserMessage;
  }
  const [known, failed] = [readFigures(figures), readFailure(failure)];
  return {
    ...base,
    role,
    outcome: isOutcome(outcome) ? outcome : 'stop',
    ...(typeof model === 'string' && { model }),
    ...(known && { figures: known }),
    ...(failed && { failure: failed }),
    ...(typeof seed === 'number' && { seed }),
    ...(edited === true && { edited }),
  } satisfies AssistantMessage;
}

function readBlock(value: unknown): Block[] {
  const [kind, said, ms, tokens] = [
    member(value, 'kind'),
    text(value, 'text'),
    finite(value, 'ms'),
    finite(value, 'tokens'),
  ];
  const took = ms === undefined ? {} : { ms };
  switch (kind) {
    case 'text':
      return said === undefined ? [] : [{ kind, text: said }];
    case 'thought':
      return said === undefined ? [] : [{ kind, text: said, ...took, ...(tokens !== undefined && { tokens }) }];
    case 'call':
      return readCall(value, took);
    default:
      return [];
  }
}

function readCall(value: unknown, took: { readonly ms?: number }): Block[] {
  const [id, name, written, server] = ['id', 'name', 'arguments', 'server'].map((part) => text(value, part));
  if (id === undefined || name === undefined || written === undefined) return [];
  const [result, state] = [member(value, 'result'), member(value, 'state')];
  const given = text(result, 'text');
  return [
    {
      kind: 'call',
      id,
      name,
      arguments: written,
      ...(given !== undefined && { result: { text: given, isError: member(result, 'isError') === true } }),
      ...(server !== undefined && { server }),
      ...(isCallState(state) && { state }),
      ...took,
      ...(member(value, 'behindResults') === true && { behindResults: true }),
    },
  ];
}

const isHash = /^[0-9a-f]{64}$/;

function readFile(value: unknown): AttachedFile[] {
  const [name, written, type, sha256] = ['name', 'text', 'type', 'sha256'].map((part) => text(value, part));
  const bytes = finite(value, 'bytes');
  if (name === undefined) return [];
  if (written !== undefined) return [{ name, text: written }];
  if (type === undefined || bytes === undefined || sha256 === undefined || !isHash.test(sha256)) return [];
  return [{ name, type, sha256, bytes }];
}

function readFigures(value: unknown): AnswerFigures | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const of = (name: keyof AnswerFigures) => finite(value, name) ?? 0;
  return {
    queueMs: of('queueMs'),
    promptMs: of('promptMs'),
    promptPerSecond: of('promptPerSecond'),
    predictedMs: of('predictedMs'),
    predictedPerSecond: of('predictedPerSecond'),
    promptTokens: of('promptTokens'),
    cachedTokens: of('cachedTokens'),
    answerTokens: of('answerTokens'),
    thoughtTokens: of('thoughtTokens'),
  };
}

function readFailure(value: unknown): Failure | undefined {
  const [message, code, requestId] = ['message', 'code', 'requestId'].map((part) => text(value, part));
  const status = finite(value, 'status');
  if (message === undefined) return undefined;
  return {
    message,
    ...(code !== undefined && { code }),
    ...(status !== undefined && { status }),
    ...(requestId !== undefined && { requestId }),
  };
}

function text(value: unknown, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === 'string' ? found : undefined;
}

function finite(value: unknown, name: string): number | undefined {
  const found = member(value, name);
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}
