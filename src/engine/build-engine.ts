import type { EngineInfo, TokenText } from './engine.ts';
import type { LoadedEngine, LoadOptions } from './load-options.ts';
import type { ModelDescription } from './remote/model-description.ts';
import type { LoadedFacts, LoadedWeights, ToLoop } from './remote/protocol.ts';
import { RemoteEngine } from './remote/remote-engine.ts';
import { createVectors } from './remote/remote-vectors.ts';
import type { ThreadPlan } from './thread-plan.ts';

export interface EngineParts {
  readonly weights: Omit<LoadedWeights, 'shared'>;
  readonly description: ModelDescription;
  readonly facts: LoadedFacts;
  readonly text: TokenText;
  /** Of state in files. */
  readonly fingerprint: string;
  /** Where it runs, if not in this process. */
  readonly processId?: number;
  readonly send: (message: ToLoop) => void;
  readonly interrupt: () => void;
  readonly end: () => Promise<void>;
  readonly onStep: LoadOptions['onStep'];
  readonly placement: LoadOptions['placement'];
}

/** The engine and what belongs to it, over a loop that has loaded its model. */
export function buildEngine(parts: EngineParts): { readonly loaded: LoadedEngine; readonly remote: RemoteEngine } {
  const { weights, description, facts, text } = parts;
  const remote = new RemoteEngine({
    info: infoOf(parts),
    text,
    stats: facts.stats,
    moves: facts.movable ? { fingerprint: parts.fingerprint } : undefined,
    send: parts.send,
    interrupt: parts.interrupt,
    end: parts.end,
    onStep: parts.onStep,
  });
  return {
    remote,
    loaded: {
      engine: remote.engine,
      vocabulary: description.vocabulary,
      trainedContextSize: weights.facts.trainedContextSize,
      embeddingSize: weights.facts.vectorSize,
      parameters: weights.facts.parameters || undefined,
      tuning: facts.tuning,
      freeDeviceBytes: () =>
        remote.questions.ask('device-memory', { about: 'device-memory' }).then(
          ({ free }) => free,
          () => undefined,
        ),
      openVectors: () => createVectors(description.vectors, text, remote.questions),
    },
  };
}

function infoOf({ facts, description, weights, processId, placement }: EngineParts): EngineInfo {
  const endTokens = new Set(description.endTokens);
  return {
    slots: facts.slots,
    ...(facts.media && { media: facts.media }),
    contextSize: facts.contextSize,
    batchSize: facts.batchSize,
    vocabularySize: description.vocabulary.size,
    device: [deviceName(weights.gpus, facts.tuning.threads), placement].filter(Boolean).join(', '),
    ...(processId !== undefined && { processId }),
    isEndOfGeneration: (token) => endTokens.has(token),
  };
}

function deviceName(gpus: readonly string[], threads: ThreadPlan): string {
  if (gpus.length > 0) return `GPU: ${[...new Set(gpus)].join(', ')}`;
  const counts = [...new Set(Object.values(threads))].sort((a, b) => a - b);
  return `CPU, ${counts.join(' to ')} ${counts.at(-1) === 1 ? 'thread' : 'threads'}`;
}
