import { member } from '../api/failure.ts';

/** One that a request may name. */
export interface ModelChoice {
  readonly id: string;
  /** Another name of a model that is in the list too. */
  readonly isAlias: boolean;
  /** `loaded`, or what stands between. */
  readonly state: string;
  readonly contextSize: number | undefined;
  readonly sizeBytes: number | undefined;
}

/** Of the model that answers, as far as it is known. */
export interface ModelFacts {
  /** As requests name it. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly contextSize: number | undefined;
  /** It can be told to think, or not to. */
  readonly switchesThinking: boolean;
  /** Its thoughts can be ended. That costs guesses ahead, so not where the model is served with them. */
  readonly endsThoughts: boolean;
  readonly keepsThoughts: boolean;
  readonly takesTools: boolean;
  /** Undefined while it is not loaded. */
  readonly seesImages: boolean | undefined;
  /** What it is sampled with where a request says nothing, as far as the model's maker recommends it. */
  readonly sampling: Readonly<Record<string, unknown>>;
}

export interface LoadStep {
  readonly phase: 'download' | 'mmap' | 'load' | 'calibrate' | 'ready' | '';
  /** 0 to 1. */
  readonly fraction: number;
  readonly bytesLoaded: number;
  readonly bytesTotal: number;
  readonly etaSeconds: number | undefined;
}

export function loadStep(answer: unknown): LoadStep | undefined {
  const phase = member(answer, 'phase');
  if (phase !== 'download' && phase !== 'mmap' && phase !== 'load' && phase !== 'calibrate' && phase !== 'ready')
    return undefined;
  const eta = member(answer, 'eta_seconds');
  return {
    phase,
    fraction: numberOr(member(answer, 'fraction'), 0),
    bytesLoaded: numberOr(member(answer, 'bytes_loaded'), 0),
    bytesTotal: numberOr(member(answer, 'bytes_total'), 0),
    etaSeconds: typeof eta === 'number' ? eta : undefined,
  };
}

export function choicesOf(answer: unknown): ModelChoice[] {
  const data = member(answer, 'data');
  if (!Array.isArray(data)) return [];
  return data.flatMap((model: unknown) => {
    const id = member(model, 'id');
    if (typeof id !== 'string') return [];
    const context = member(model, 'context_length');
    const size = member(member(model, 'meta'), 'size');
    return [
      {
        id,
        isAlias: (member(model, 'root') ?? id) !== id,
        state: String(member(model, 'state') ?? ''),
        contextSize: typeof context === 'number' ? context : undefined,
        sizeBytes: typeof size === 'number' ? size : undefined,
      },
    ];
  });
}

/** One that is loaded. Sizes in bytes, contexts in tokens per slot. */
export interface LoadedModel {
  readonly id: string;
  readonly name: string;
  readonly contextSize: number;
  readonly slots: number;
  readonly memoryBytes: number;
  readonly device: string;
}

export function loadedModels(status: unknown): LoadedModel[] {
  return statusModels(status).flatMap((model) => {
    const id = member(model, 'model');
    if (typeof id !== 'string') return [];
    return [
      {
        id,
        name: String(member(model, 'display_name') ?? id),
        contextSize: numberOr(member(model, 'context_length'), 0),
        slots: numberOr(member(model, 'slots'), 0),
        memoryBytes: numberOr(member(model, 'memory_bytes'), 0),
        device: String(member(model, 'device') ?? ''),
      },
    ];
  });
}

function statusModels(status: unknown): readonly unknown[] {
  const models = member(status, 'models');
  return Array.isArray(models) ? models : [];
}

/** Of the chosen one, where it is loaded, else of the one that answers to any name. */
export function factsOf(
  status: unknown,
  models: readonly ModelChoice[],
  chosen: string | undefined,
): ModelFacts | undefined {
  const loaded = statusModels(status);
  const named = (name: unknown) => loaded.find((model) => member(model, 'model') === name);
  const model = (chosen !== undefined && named(chosen)) || named(member(status, 'active_model'));
  const id = member(model, 'model') ?? models[0]?.id;
  if (typeof id !== 'string') return undefined;
  const context = member(model, 'context_length') ?? models.find((each) => each.id === id)?.contextSize;
  return {
    id,
    name: String(member(model, 'display_name') ?? id),
    contextSize: typeof context === 'number' ? context : undefined,
    switchesThinking: member(model, 'supports_reasoning') === true && member(model, 'reasoning_always_on') !== true,
    endsThoughts: member(model, 'supports_reasoning') === true && member(model, 'speculative_type') === null,
    keepsThoughts: member(model, 'supports_preserve_thinking') === true,
    seesImages: model === undefined ? undefined : member(model, 'is_vision') === true,
    takesTools: member(model, 'supports_tools') === true,
    sampling: { ...(member(model, 'inference') ?? {}) },
  };
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

/** Models on their way, by name. */
export function loadingNames(status: unknown): readonly string[] {
  const names = member(status, 'loading');
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}
