import type { PromptOpening } from '../contract/chat-format.ts';
import type { GenerationRequest } from '../contract/request.ts';
import { createOutputMachine, type OutputMachine } from '../output/output-machine.ts';
import type { GenerationDependencies } from './generate.ts';
import { createPlainMachine } from './plain-machine.ts';
import type { ModelRuntime } from './runtime.ts';
import { freeSteering, limitReasoning } from './steering.ts';
import { TextPipeline } from './text-pipeline.ts';

export interface PipelinePlan {
  readonly pipeline: TextPipeline;
  /** GBNF that holds from the first token. */
  readonly grammar: string | undefined;
}

type PipelineDependencies = Pick<GenerationDependencies, 'newToolCallId' | 'settings'>;

/** Machine, stop strings and steering for one run. */
export async function createTextPipeline(
  { newToolCallId, settings }: PipelineDependencies,
  runtime: ModelRuntime,
  request: GenerationRequest,
  opening: PromptOpening | undefined,
): Promise<PipelinePlan> {
  const { prompt } = request;
  const visibleBytes = visibleTokens(runtime, request.showSpecialTokens === true);
  if (prompt.type !== 'chat' || !opening) {
    const machine = createPlainMachine();
    const pipeline = new TextPipeline({ machine, stop: request.stop, visibleBytes, steering: freeSteering });
    return { pipeline, grammar: undefined };
  }
  const machine = createOutputMachine({
    format: runtime.format,
    opening,
    tools: prompt.tools,
    toolChoice: prompt.toolChoice,
    newToolCallId,
    reasoningFormat: prompt.reasoning.format ?? 'auto',
    autoHeal: prompt.autoHealToolCalls ?? settings.autoHealToolCalls,
    checkToolNames: settings.checkToolNames,
  });
  const steering = await reasoningSteering(runtime, machine, prompt.reasoning.budget);
  const stop = [...request.stop, ...runtime.format.stopStrings];
  return { pipeline: new TextPipeline({ machine, stop, visibleBytes, steering }), grammar: undefined };
}

async function reasoningSteering(runtime: ModelRuntime, machine: OutputMachine, budget: number | undefined) {
  if (budget === undefined || budget < 0) return freeSteering;
  const closing = await runtime.engine.text.tokenize([machine.closeReasoning()], { special: true });
  return limitReasoning(Math.max(1, budget), closing, freeSteering);
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
