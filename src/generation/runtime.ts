import type { ChatFormat, RenderedPrompt } from '../contract/chat-format.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ChatPrompt, OutputShape } from '../contract/request.ts';
import type { Engine } from '../engine/engine.ts';
import type { Capabilities } from '../prompt/capabilities.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Adapters } from './adapters.ts';
import type { MediaMaker } from './media-maker.ts';

/** A loaded model with everything that a generation on it needs. Built by main. */
export interface ModelRuntime {
  readonly profile: ModelProfile;
  readonly engine: Engine;
  readonly scheduler: Scheduler;
  readonly renderer: PromptMaker;
  readonly format: ChatFormat;
  /** Absent: the model sees nothing. */
  readonly media?: MediaMaker;
  /** Absent: the model has none. */
  readonly adapters?: Adapters;
}

/** As PromptRenderer, here or in another process. */
interface PromptMaker {
  readonly capabilities: Capabilities;
  render(chat: ChatPrompt, answer?: OutputShape, signal?: AbortSignal): RenderedPrompt | Promise<RenderedPrompt>;
}

/** The model that serves a name, loaded when need be. ServeError model_not_found and the like where there is none. */
export type UseModel<Model> = (name: string | undefined, signal: AbortSignal) => Promise<ModelUse<Model>>;

/** `release` ends it: a model in use is never unloaded. */
export interface ModelUse<Model> {
  readonly runtime: Model;
  release(): void;
}

/** Work on what is given back when it is over. */
export async function using<Use extends { release(): void }, Result>(
  begun: Promise<Use>,
  work: (use: Use) => Promise<Result> | Result,
): Promise<Result> {
  const use = await begun;
  try {
    return await work(use);
  } finally {
    use.release();
  }
}
