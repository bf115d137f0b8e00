import { showBytes } from '../contract/amounts.ts';
import { ServeError } from '../contract/errors.ts';
import type { MemoryShape } from './memory.ts';

export interface Shortage {
  readonly required: number;
  /** What is free, and what idle models would give back. */
  readonly had: number;
  readonly shape: MemoryShape;
}

/** `busy`: models in use, without which it would fit; none: it never will. */
export function tooLarge(
  id: string,
  { required, had, shape }: Shortage,
  busy: readonly { readonly id: string }[],
): ServeError {
  const context = shape.contextSize === 0 ? '' : ` with ${shape.slots} slots of ${shape.contextSize} tokens`;
  const [have, next] =
    busy.length === 0
      ? ['this machine has', 'Take a smaller context, fewer slots or a smaller quantization.']
      : [
          `beside ${busy.map((model) => model.id).join(', ')}, in use, there are`,
          'Try again later, or take a smaller context.',
        ];
  return new ServeError(
    'insufficient_memory',
    `${id}${context} needs about ${showBytes(required)}, and ${have} ${showBytes(had)}. ${next}`,
  );
}
