import type { PromptOpening } from '../contract/chat-format.ts';
import type { BlockEvent } from '../contract/events.ts';
import type { GenerationRequest, Reasoning } from '../contract/request.ts';
import { type Constraint, isExact } from '../grammar/constraint.ts';
import { createOutputMachine, type OutputMachine } from '../output/output-machine.ts';
import { allTokens, hiddenTokens, visibleTokens } from './control-tokens.ts';
import type { GenerationDependencies } from './dependencies.ts';
import type { ModelRuntime } from './runtime.ts';
import { freeSteering, limitReasoning } from './steering.ts';
import type { TextPipelineOptions } from './text-pipeline.ts';
import { type Steering, TextPipeline } from './text-pipeline.ts';
import type { ThoughtControl } from './thought-control.ts';
import { type GrammarWatch, watchGrammar } from './watch-grammar.ts';

export interface AnswerReading {
  readonly pipeline: TextPipeline;
  readonly constraint: Constraint;
  /** Tokens that the grammar would take for text. */
  readonly hiddenTokens: readonly number[];
  /** Directives may have to be obeyed at exactly the token that they answer. */
  readonly steered: boolean;
  /** Of a grammar that a client wrote. */
  readonly watch?: GrammarWatch | undefined;
}

type PipelineDependencies = Pick<GenerationDependencies, 'newToolCallId' | 'settings' | 'constraints'>;

/** Machine, stop strings and steering for one run. */
export async function createTextPipeline(
  { newToolCallId, settings, constraints }: PipelineDependencies,
  runtime: ModelRuntime,
  request: GenerationRequest,
  opening: PromptOpening | undefined,
  thought?: ThoughtControl,
): Promise<AnswerReading> {
  const { prompt } = request;
  const tokens = request.showSpecialTokens === true ? allTokens(runtime) : visibleTokens(runtime);
  const chat = prompt.type === 'chat' ? prompt : undefined;
  const constraint = constraints.get(
    {
      format: runtime.format,
      opening,
      tools: chat?.tools ?? [],
      toolChoice: chat?.toolChoice ?? { type: 'none' },
      parallelToolCalls: chat?.parallelToolCalls,
      outputShape: request.outputShape,
      strictTools: settings.strictTools,
    },
    { owner: request.keys.owner ?? '', scope: request.cacheScope ?? '' },
  );
  const isHiding = constraint.grammar !== undefined && request.showSpecialTokens !== true;
  const hidden = isHiding ? await hiddenTokens(runtime) : [];
  if (!chat || !opening) {
    const machine = createPlainMachine();
    const watched = watch(freeSteering, constraint);
    const pipeline = new TextPipeline({ machine, stop: request.stop, tokens, steering: watched.steering });
    return { pipeline, constraint, hiddenTokens: hidden, ...watched };
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
    exactText: isExact(request.outputShape),
  });
  const limit = await reasoningLimit(runtime, machine, chat.reasoning);
  thought?.endsAt(machine.state === 'reasoning');
  const limited = limit ? limitReasoning({ ...limit, afterwards: constraint.afterReasoning, thought }) : freeSteering;
  const watched = watch(limited, constraint);
  const stop = [...request.stop, ...runtime.format.stopStrings];
  const thoughtsInText = chat.reasoning.format === 'none';
  const pipeline = new TextPipeline({ machine, stop, tokens, steering: watched.steering, thoughtsInText });
  return { pipeline, constraint, hiddenTokens: hidden, ...watched };
}

/** Directives may come from a budget, and from the count of a client's grammar. */
function watch(steering: Steering, { counted }: Constraint) {
  const found = counted && watchGrammar(steering, counted);
  return {
    steering: found?.steering ?? steering,
    watch: found,
    steered: found !== undefined || steering !== freeSteering,
  };
}

async function reasoningLimit(runtime: ModelRuntime, machine: OutputMachine, { budget = -1, endable }: Reasoning) {
  if ((budget < 0 && !endable) || !runtime.format.reasoning) return undefined;
  const closing = await runtime.engine.text.tokenize([machine.closeReasoning()], { special: true });
  return { budget: budget < 0 ? Number.POSITIVE_INFINITY : Math.max(1, budget), closing };
}

/** Raw completions: every character the model writes is the one text block. */
export function createPlainMachine(): TextPipelineOptions['machine'] {
  let open = false;
  return {
    state: 'text',
    unread: 0,
    repairs: 0,
    push(text): BlockEvent[] {
      const delta: BlockEvent = { type: 'block-delta', index: 0, delta: text };
      if (open) return [delta];
      open = true;
      return [{ type: 'block-start', index: 0, kind: 'text' }, delta];
    },
    end(): BlockEvent[] {
      return open ? [{ type: 'block-end', index: 0 }] : [];
    },
  };
}
