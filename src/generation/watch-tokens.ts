import type { GenerationRequest } from '../contract/request.ts';
import { isMediaRow } from '../engine/media-ids.ts';
import type { GenerationDependencies } from './dependencies.ts';
import type { FittedPrompt } from './fit-context.ts';
import type { ModelRuntime } from './runtime.ts';

/** Tells the observer of a run's tokens, as far as it wants to hear of them. */
export interface TokenWatch {
  token(token: number): void;
  /** After the last. */
  ended(): void;
}

interface WatchedRun {
  readonly deps: GenerationDependencies;
  readonly runtime: ModelRuntime;
  readonly request: GenerationRequest;
  readonly prompt: FittedPrompt;
}

export function watchTokens({ deps, runtime, request, prompt }: WatchedRun): TokenWatch {
  const { clock, observer } = deps;
  const { id: model } = runtime.profile;
  const written: number[] | undefined = observer?.texts && [];
  let last: number | undefined;
  return {
    token(token) {
      written?.push(token);
      if (!observer?.tokenGap) return;
      const now = clock();
      if (last !== undefined) observer.tokenGap(model, now - last);
      last = now;
    },
    ended() {
      if (!written) return;
      const text = (tokens: readonly number[]) => spell(tokens, (token) => runtime.engine.text.bytes(token));
      const { answerId } = request.keys;
      observer?.texts?.({ model, answerId, prompt: text(prompt.tokens), answer: text(written) });
    },
  };
}

/** Rows of media have no spelling. */
function spell(tokens: readonly number[], bytes: (token: number) => Uint8Array): string {
  const spelled = tokens.filter((token) => !isMediaRow(token)).map(bytes);
  return Buffer.concat(spelled).toString('utf8');
}
