import { isImageRow } from '../engine/image-ids.ts';
import type { SlotWork } from './run-on-slot.ts';

/** Tells the observer of a run's tokens, as far as it wants to hear of them. */
export interface TokenWatch {
  token(token: number): void;
  /** Behind the last. */
  ended(): void;
}

export function watchTokens({ deps, runtime, request, fitted }: SlotWork): TokenWatch {
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
      observer?.texts?.({ model, answerId, prompt: text(fitted.prompt.tokens), answer: text(written) });
    },
  };
}

/** Rows of images have no spelling. */
function spell(tokens: readonly number[], bytes: (token: number) => Uint8Array): string {
  const spelled = tokens.filter((token) => !isImageRow(token)).map(bytes);
  return Buffer.concat(spelled).toString('utf8');
}
