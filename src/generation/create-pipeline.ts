import type { PromptOpening } from '../contract/chat-format.ts';
import type { GenerationRequest } from '../contract/request.ts';
import type { ConstraintPlan } from '../grammar/plan.ts';
import { createOutputMachine, type OutputMachine } from '../output/output-machine.ts';
import type { GenerationDependencies } from './dependencies.ts';
import { hiddenTokens } from './hidden-tokens.ts';
import { createPlainMachine } from './plain-machine.ts';
import type { ModelRuntime } from './runtime.ts';
import { freeSteering, limitReasoning } from './steering.ts';
import { TextPipeline } from './text-pipeline.ts';

export interface PipelinePlan {
  readonly pipeline: TextPipeline;
  readonly constraint: ConstraintPlan;
  /** Tokens that the grammar would take for text. */
  readonly forbidden: readonly number[];
  /** Directives may have to be obeyed at exactly the token that they answer. */
  readonly steered: boolean;
}

type PipelineDependencies = Pick<GenerationDependencies, 'newToolCallId' | 'settings' | 'planner'>;

/** Machine, stop strings and steering for one run. */
export async function createTextPipeline(
  { newToolCallId, settings, planner }: PipelineDependencies,
  runtime: ModelRuntime,
  request: GenerationRequest,
  opening: PromptOpening | undefined,
): Promise<PipelinePlan> {
  const { prompt } = request;
  const visibleBytes = visibleTokens(runtime, request.showSpecialTokens === true);
  const chat = prompt.type === 'chat' ? prompt : undefined;
  const constraint = planner.plan({
    format: runtime.format,
    opening,
    tools: chat?.tools ?? [],
    toolChoice: chat?.toolChoice ?? { type: 'none' },
    parallelToolCalls: chat?.parallelToolCalls,
    outputShape: request.outputShape,
    strictTools: settings.strictTools,
  });
  const isHiding = constraint.grammar !== undefined && request.showSpecialTokens !== true;
  const forbidden = isHiding ? await hiddenTokens(runtime) : [];
  if (!chat || !opening) {
    const machine = createPlainMachine();
    const pipeline = new TextPipeline({ machine, stop: request.stop, visibleBytes, steering: freeSteering });
    return { pipeline, constraint, forbidden, steered: false };
  }
  const machine = createOutputMachine({
    format: runtime.format,
    opening,
    tools: chat.tools,
    toolChoice: chat.toolChoice,
    newToolCallId,
    reasoningFormat: chat.reasoning.format ?? 'auto',
    autoHeal: chat.autoHealToolCalls ?? settings.autoHealToolCalls,
    checkToolNames: settings.checkToolNames,
  });
  const limit = await reasoningLimit(runtime, machine, chat.reasoning.budget);
  const steering = limit ? limitReasoning({ ...limit, afterwards: constraint.afterReasoning }) : freeSteering;
  const stop = [...request.stop, ...runtime.format.stopStrings];
  const pipeline = new TextPipeline({ machine, stop, visibleBytes, steering });
  return { pipeline, constraint, forbidden, steered: limit !== undefined };
}

async function reasoningLimit(runtime: ModelRuntime, machine: OutputMachine, budget: number | undefined) {
  if (budget === undefined || budget < 0 || !runtime.format.reasoning) return undefined;
  const closing = await runtime.engine.text.tokenize([machine.closeReasoning()], { special: true });
  return { budget: Math.max(1, budget), closing };
}

const nothing = new Uint8Array(0);

/** Control tokens are hidden, but for those that carry meaning in the family's syntax. */
function visibleTokens({ engine, format }: ModelRuntime, all: boolean): (token: number) => Uint8Array {
  const { text } = engine;
  if (all) return (token) => text.bytes(token);
  const decoder = new TextDecoder();
  return (token) => {
    const bytes = text.bytes(token);
    if (!text.isControl(token) || format.visibleTokens.includes(decoder.decode(bytes))) return bytes;
    return nothing;
  };
}
