import { member } from '../api/failure.ts';

/** One that a request may name. */
export interface ModelChoice {
  readonly id: string;
  /** `loaded`, or what stands between. */
  readonly state: string;
  readonly contextSize: number | undefined;
  readonly sizeBytes: number | undefined;
}

/** Of the model that answers, as far as it is known. */
export interface ModelFacts {
  readonly id: string;
  readonly contextSize: number | undefined;
  /** It can be told to think, or not to. */
  readonly switchesThinking: boolean;
  readonly keepsThoughts: boolean;
  readonly takesTools: boolean;
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
        state: String(member(model, 'state') ?? ''),
        contextSize: typeof context === 'number' ? context : undefined,
        sizeBytes: typeof size === 'number' ? size : undefined,
      },
    ];
  });
}

export function factsOf(status: unknown, models: readonly ModelChoice[]): ModelFacts | undefined {
  const id = member(status, 'display_name') ?? models[0]?.id;
  if (typeof id !== 'string') return undefined;
  const context = member(status, 'context_length') ?? models.find((model) => model.id === id)?.contextSize;
  return {
    id,
    contextSize: typeof context === 'number' ? context : undefined,
    switchesThinking: member(status, 'supports_reasoning') === true && member(status, 'reasoning_always_on') !== true,
    keepsThoughts: member(status, 'supports_preserve_thinking') === true,
    takesTools: member(status, 'supports_tools') === true,
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
