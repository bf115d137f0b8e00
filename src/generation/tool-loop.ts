import { ServeError } from '../contract/errors.ts';
import type { FinishEvent, GenerationEvent, Usage } from '../contract/events.ts';
import type { ChatPrompt, GenerationRequest, Tool, ToolChoice } from '../contract/request.ts';
import { isNamed, type ServerToolWish, type ToolHost } from '../contract/server-tools.ts';
import type { ApprovalRegistry } from './approvals.ts';
import type { GenerationDependencies } from './dependencies.ts';
import { EarlyEnd } from './endings.ts';
import { nameTools, type OfferedTools, toTool } from './offered-tools.ts';
import { type CallContext, type RunningCalls, runCalls } from './run-calls.ts';
import type { SlotRun } from './run-on-slot.ts';
import { type Ending, ToolAccount } from './tool-account.ts';
import { type ServerCall, ToolRound } from './tool-round.ts';

/** The server's own tools, where it has some. */
export interface ToolBench {
  readonly host: ToolHost;
  readonly approvals: ApprovalRegistry;
}

/** A request that wants the server's tools. */
export interface ToolRequest extends GenerationRequest {
  readonly prompt: ChatPrompt;
  readonly serverTools: ServerToolWish;
}

export interface RoundStart {
  readonly request: GenerationRequest;
  /** Of this round alone: it is aborted at its end. */
  readonly controller: AbortController;
  /** What the wall-clock has left, in milliseconds. */
  readonly limitMs: number;
  /** A later round of an answer that came at this time; undefined: the first one. */
  readonly since: number | undefined;
}

export interface ToolLoop {
  readonly deps: GenerationDependencies;
  readonly bench: ToolBench;
  readonly request: ToolRequest;
  /** Of the whole answer. */
  readonly controller: AbortController;
  /** A round on a slot; what it tells before that are places in the queue. */
  begin(start: RoundStart): AsyncGenerator<GenerationEvent, SlotRun>;
  /** Told of each round that had a slot. */
  spent(usage: Usage): void;
  /** Characters that the results of a turn may have together, so that the model has room to read them. */
  resultCharacters(): number;
}

export function wantsTools(request: GenerationRequest): request is ToolRequest {
  return request.serverTools !== undefined && request.prompt.type === 'chat';
}

export interface Offer {
  readonly request: ToolRequest;
  readonly offered: OfferedTools;
  readonly warnings: readonly string[];
}

/** The request as the model gets it: the server's tools behind the client's own. */
export async function offerTools(request: ToolRequest, host: ToolHost, signal: AbortSignal): Promise<Offer> {
  const { serverTools, prompt } = request;
  const { servers, enabled } = serverTools;
  const found = await host.tools(servers, signal);
  const wanted = enabled ? found.filter((tool) => isNamed(tool, enabled)) : found;
  const offered = nameTools(wanted, prompt.tools);
  const tools = [...prompt.tools, ...[...offered].map(([name, tool]) => toTool(name, tool))];
  refuseImpossible(prompt.toolChoice, tools);
  const missing = (enabled ?? []).filter((name) => !wanted.some((tool) => isNamed(tool, [name])));
  const warnings = missing.map((name) => `This server has no tool ${JSON.stringify(name)} to run just now.`);
  return { request: { ...request, prompt: { ...prompt, tools } }, offered, warnings };
}

/** Which tools there are is known only now. */
function refuseImpossible(choice: ToolChoice, tools: readonly Tool[]): void {
  if (choice.type === 'auto' || choice.type === 'none') return;
  const names = choice.type === 'function' ? [choice.name] : choice.type === 'allowed' ? choice.names : [];
  const missing = names.find((name) => !tools.some((tool) => tool.name === name));
  if (tools.length > 0 && missing === undefined) return;
  const what = missing === undefined ? 'a call' : `the tool ${JSON.stringify(missing)}`;
  throw new ServeError(
    'invalid_request',
    `\`tool_choice\` asks for ${what}, which neither the request nor this server offers just now. GET /api/mcp tells what it has.`,
    { param: 'tool_choice' },
  );
}

/**
 * Model, calls, results, model, until a turn has no call for the server to run. Each round has a slot of its own: while
 * tools run it is others'.
 */
export async function* answerWithTools(loop: ToolLoop): AsyncGenerator<GenerationEvent> {
  const { deps, bench, controller } = loop;
  const since = deps.clock();
  const offer = await offerTools(loop.request, bench.host, controller.signal);
  const account = new ToolAccount(loop.request.maxTokens, deps.settings.maxPredictMs, offer.warnings);
  let request: ToolRequest | undefined = offer.request;
  let blocks = 0;
  let callsLeft = request.serverTools.maxCalls;
  let ending: Ending = { reason: 'stop' };
  while (request) {
    const isFirst = account.rounds === 0;
    const round = new ToolRound(offer.offered, { firstBlock: blocks, isFirst });
    try {
      const finish = yield* speak(loop, round, account, { request, since: isFirst ? undefined : since });
      ending = finish;
      blocks = round.blocks;
      const calls = round.serverCalls;
      if (!goesOn(finish, calls)) break;
      const running = runCalls(calls, callsLeft, callContext(loop, calls.length));
      callsLeft -= calls.length;
      yield* told(running, controller);
      if (round.hasClientCalls) break;
      request = nextRequest(request, round, running, account);
    } catch (error) {
      const early = account.rounds === 0 ? undefined : endingOf(error);
      if (!early) throw error;
      ending = { ...ending, ...early };
      break;
    }
    if (callsLeft <= 0 || account.tokensLeft === 0 || account.msLeft <= 0) {
      ending = { reason: 'length', ...(callsLeft <= 0 && { callLimit: true }) };
      break;
    }
  }
  yield account.finish(ending);
}

/** A turn that was cut, or ended by a stop string, is the last one whatever it called. */
function goesOn({ reason, stopString }: FinishEvent, calls: readonly ServerCall[]): boolean {
  return reason === 'tool-calls' && stopString === undefined && calls.length > 0;
}

/** One turn of the model, told as it comes; its end is kept. */
async function* speak(
  loop: ToolLoop,
  round: ToolRound,
  account: ToolAccount,
  start: Pick<RoundStart, 'request' | 'since'>,
): AsyncGenerator<GenerationEvent, FinishEvent> {
  const { deps, controller } = loop;
  const own = new AbortController();
  const forward = () => own.abort(controller.signal.reason);
  if (controller.signal.aborted) forward();
  controller.signal.addEventListener('abort', forward, { once: true });
  try {
    const run = yield* loop.begin({ ...start, controller: own, limitMs: account.msLeft });
    const begunAt = deps.clock();
    let finish: FinishEvent | undefined;
    try {
      for (let event = await run.next(); event; event = await run.next()) {
        if (event.type === 'finish') finish = event;
        const told = round.pass(event);
        if (told) yield told;
      }
    } finally {
      await run.leave({ comesBack: finish !== undefined && goesOn(finish, round.serverCalls) });
      if (run.usage) loop.spent(run.usage());
    }
    if (!finish) throw new ServeError('internal', 'The generation ended without its finish event.');
    account.add(finish, deps.clock() - begunAt);
    return finish;
  } finally {
    controller.signal.removeEventListener('abort', forward);
  }
}

/** Whoever leaves while calls run ends them. */
async function* told(running: RunningCalls, controller: AbortController): AsyncGenerator<GenerationEvent> {
  let over = false;
  try {
    for (let event = await running.next(); event; event = await running.next()) yield event;
    over = true;
  } finally {
    if (!over) controller.abort(new EarlyEnd('cancelled'));
    await running.settled;
  }
}

function callContext({ deps, bench, request, controller, resultCharacters }: ToolLoop, calls: number): CallContext {
  return {
    ...bench,
    wish: request.serverTools,
    owner: request.keys.owner ?? '',
    clock: deps.clock,
    signal: controller.signal,
    observer: deps.observer,
    maxCharacters: Math.max(200, Math.floor(resultCharacters() / calls)),
  };
}

function nextRequest(
  { promptLogprobs: _, ...request }: ToolRequest,
  round: ToolRound,
  { outcomes }: RunningCalls,
  account: ToolAccount,
): ToolRequest {
  return {
    ...request,
    prompt: round.nextPrompt(request.prompt, outcomes),
    maxTokens: account.tokensLeft,
    sampling: { ...request.sampling, seed: account.seed },
  };
}

/** What ends an answer of several rounds properly: what was said of it stands. */
function endingOf(error: unknown): Pick<FinishEvent, 'reason' | 'cancelled'> | undefined {
  if (error instanceof EarlyEnd)
    return error.kind === 'cancelled' ? { reason: 'stop', cancelled: true } : { reason: 'length' };
  const isFull = error instanceof ServeError && error.code === 'context_length_exceeded';
  return isFull ? { reason: 'length' } : undefined;
}
