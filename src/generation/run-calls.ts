import { toServeError } from '../contract/errors.ts';
import type { ToolResultEvent, ToolStateEvent } from '../contract/events.ts';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { ServerToolWish, ToolHost, ToolOutcome } from '../contract/server-tools.ts';
import type { Clock } from '../contract/services.ts';
import type { ApprovalRegistry } from './approvals.ts';
import type { GenerationObserver } from './dependencies.ts';
import { EventQueue } from './event-queue.ts';
import type { ServerCall } from './tool-round.ts';

export interface CallContext {
  readonly host: Pick<ToolHost, 'call'>;
  readonly approvals: ApprovalRegistry;
  readonly wish: ServerToolWish;
  readonly owner: string;
  readonly answerId: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly observer: GenerationObserver | undefined;
  /** Characters of a result that the model reads at most. */
  readonly maxCharacters: number;
}

export interface RunningCalls {
  /** The next event; undefined after the last; rejects with the signal's reason. */
  next(): Promise<ToolStateEvent | ToolResultEvent | undefined>;
  /** Settles, and never rejects, when none of them runs any more. */
  readonly settled: Promise<unknown>;
  /** In the order of the calls. */
  readonly outcomes: ReadonlyMap<ServerCall, ToolOutcome>;
}

/** All calls of a turn at once. Those after the first `allowed` ones are not run, and the model is told so. */
export function runCalls(calls: readonly ServerCall[], allowed: number, context: CallContext): RunningCalls {
  const noPause = () => undefined;
  const queue = new EventQueue<ToolStateEvent | ToolResultEvent>(noPause, noPause);
  const outcomes = new Map<ServerCall, ToolOutcome>(calls.map((call) => [call, notRun]));
  const running = calls.map(async (call, index) => {
    const isAllowed = index < allowed;
    const ended: Ended = isAllowed
      ? await runCall(call, context, (state) => queue.add([state]))
      : { outcome: notRun, ms: 0 };
    const { outcome, ms, denied } = ended;
    const content = cutText(outcome.content, context.maxCharacters);
    const { isError } = outcome;
    outcomes.set(call, { ...outcome, content });
    queue.add([{ type: 'tool-result', callId: call.id, content, isError, ...(denied && { denied }), ms }]);
  });
  Promise.all(running).then(
    () => queue.close(),
    (error: unknown) => queue.fail(error),
  );
  return { next: () => queue.next(), settled: Promise.allSettled(running), outcomes };
}

const notRun: ToolOutcome = {
  content: 'This call was not run: the limit for calls in one answer is reached.',
  isError: true,
};

interface Ended {
  readonly outcome: ToolOutcome;
  readonly ms: number;
  readonly denied?: boolean;
}

async function runCall(call: ServerCall, context: CallContext, tell: (state: ToolStateEvent) => void): Promise<Ended> {
  const { host, wish, clock, signal, observer, owner } = context;
  const { server, name } = call.tool;
  const args = readArguments(call.arguments);
  if (args === undefined) {
    const outcome = { content: 'This call was not run: its arguments are no JSON object.', isError: true };
    observer?.toolCalled?.({ owner, server, tool: name, ms: 0, bytes: 0, result: 'error' });
    return { outcome, ms: 0 };
  }
  const refusal = await askPerson(call, context, tell);
  if (refusal !== undefined) {
    observer?.toolCalled?.({ owner, server, tool: name, ms: 0, bytes: 0, result: 'denied' });
    return { outcome: { content: refusal, isError: true }, ms: 0, denied: true };
  }
  tell({ type: 'tool-state', callId: call.id, state: 'running' });
  const startedAt = clock();
  const since = () => Math.round(clock() - startedAt);
  try {
    const outcome = await host.call(call.tool, args, {
      signal,
      timeoutMs: wish.callTimeoutMs,
      maxCharacters: context.maxCharacters,
    });
    const bytes = Buffer.byteLength(outcome.content);
    observer?.toolCalled?.({
      owner,
      server,
      tool: name,
      ms: since(),
      bytes,
      result: outcome.isError ? 'error' : 'ok',
    });
    return { outcome, ms: since() };
  } catch (error) {
    const cancelled = signal.aborted;
    observer?.toolCalled?.({
      owner,
      server,
      tool: name,
      ms: since(),
      bytes: 0,
      result: cancelled ? 'cancelled' : 'error',
    });
    if (cancelled) throw error;
    return { outcome: { content: toServeError(error).message, isError: true }, ms: since() };
  }
}

/** Undefined: it may run; else what the model is told. */
async function askPerson(
  { id, tool }: ServerCall,
  { wish, approvals, owner, answerId, signal }: CallContext,
  tell: (state: ToolStateEvent) => void,
): Promise<string | undefined> {
  const { confirm } = wish;
  if (confirm === 'never' || (confirm === 'writes' && tool.readOnly) || approvals.isApproved(owner, tool))
    return undefined;
  tell({ type: 'tool-state', callId: id, state: 'asks' });
  const verdict = await approvals.wait({ callId: id, owner, answerId, tool }, signal);
  switch (verdict) {
    case 'approved':
      return undefined;
    case 'denied':
      return 'This call was not run: the user did not allow it.';
    case 'unanswered':
      return 'This call was not run: nobody was there to allow it.';
    default:
      return verdict satisfies never;
  }
}

function readArguments(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Beginning and end, because what a page or a log is about stands at both. */
function cutText(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  const end = Math.floor(maxCharacters / 4);
  const left = text.length - maxCharacters;
  return `${text.slice(0, maxCharacters - end).trimEnd()}\n[${left} of ${text.length} characters were left out here]\n${text.slice(text.length - end).trimStart()}`;
}
