import { showBytes } from '../contract/amounts.ts';
import type { ContextWish } from '../contract/load-wish.ts';
import { defaultSlots } from '../contract/model.ts';
import { type MemoryFacts, type MemoryShape, memoryNeed } from './memory.ts';

/** Of a wish that leaves the slots open, which get the usual. */
export function shapeOf(wish: ContextWish): MemoryShape {
  return { ...wish, slots: wish.slots ?? defaultSlots };
}

/** Bytes. */
export interface MemoryAtHand {
  /** Of the machine. */
  readonly total: number;
  /** For this model and all that comes with it. */
  readonly available: number;
  /** What prompt beginnings that are kept may grow to. */
  readonly prefixCache: number;
}

/** A model to be weighed; `beside` get contexts of the same shape, as a draft model does. */
export interface WeighedModel extends MemoryFacts {
  readonly id: string;
  readonly trainedContextSize: number;
  readonly beside?: readonly MemoryFacts[];
}

/** What to load with, or the sentence that says why nothing fits. */
export type ChosenContext =
  | {
      readonly contextSize: number;
      readonly slots: number;
      /** Bytes that prompt beginnings may grow to: what was asked for, unless memory is short. */
      readonly prefixCache: number;
      /** It is less than it would be with more memory. */
      readonly short: boolean;
    }
  | { readonly tooLarge: string };

/** Enough for an agent's tools and a long conversation; models are trained for up to ten million tokens. */
export const mostByDefault = 32_768;
/** Below this much, slots go before the context does. */
const usefulContext = 8192;
/** What anything starts with. */
const leastContext = 256;
const sizes = [24_576, 16_384, 12_288, 8192, 6144, 4096, 3072, 2048, 1536, 1024, 768, 512, leastContext];

/** Bytes of a machine that no model takes by default: the system, other programs and requests need them. */
export function reserveOf(total: number): number {
  return Math.max(1e9, total * 0.15);
}

/**
 * Context and slots on the processor, in main memory. What is asked for is taken where it fits at all. What is left open
 * stays within the memory less the reserve and the prefix cache: at most 32k tokens a slot; less, down to 8k, where that is
 * too much; then fewer slots; then less context. Where even that is too much, contexts take half of what the weights leave.
 *
 * The sizes are few, so that a start with a little more or less memory finds the tuning and the prefixes of the last one.
 * Attention scores are not counted unless flash attention is switched off: where it measures worse, they are the reserve's.
 */
export function chooseContext(model: WeighedModel, wish: ContextWish, memory: MemoryAtHand): ChosenContext {
  const need = (shape: Shape) => needOfAll(model, { ...wish, ...shape });
  const { shapes, least, isShort } = shapesFor(model, wish);

  const sparing = memory.available - reserveOf(memory.total) - memory.prefixCache;
  const roomy = shapes.find((shape) => need(shape).total <= sparing);
  if (roomy) return { ...roomy, prefixCache: memory.prefixCache, short: isShort(roomy) };

  const fitsHalf = (shape: Shape) => {
    const { total, context } = need(shape);
    return total + context <= memory.available;
  };
  const chosen = shapes.find(fitsHalf) ?? least;
  const { total } = need(chosen);
  if (total > memory.available) return { tooLarge: tooLarge(model, { ...least, total, free: memory.available }) };
  return { ...chosen, prefixCache: Math.min(memory.prefixCache, (memory.available - total) / 2), short: true };
}

/** Tokens per slot, and slots. */
export type Shape = Pick<MemoryShape, 'contextSize' | 'slots'>;

export interface Shapes {
  /** What could be loaded with, the most wanted first: the context as long as it is of use, then the slots, then the rest. */
  readonly shapes: readonly Shape[];
  /** Of those, the least that is still of use, and the least of all. */
  readonly useful: Shape;
  readonly least: Shape;
  /** Whether one is less than what is wanted. */
  isShort(shape: Shape): boolean;
}

export function shapesFor({ trainedContextSize }: Pick<WeighedModel, 'trainedContextSize'>, wish: ContextWish): Shapes {
  const slots = wish.slots ?? defaultSlots;
  const fewest = wish.slots ?? 1;
  const most = Math.min(trainedContextSize, mostByDefault);
  const contexts = wish.contextSize > 0 ? [wish.contextSize] : [most, ...sizes.filter((size) => size < most)];
  const useful = contexts.filter((size) => size >= usefulContext || size === contexts[0]);
  const last = useful.at(-1) ?? leastContext;
  const fewer = Array.from({ length: slots - fewest }, (_, index) => slots - 1 - index);
  return {
    shapes: [
      ...useful.map((contextSize) => ({ contextSize, slots })),
      ...fewer.map((count) => ({ contextSize: last, slots: count })),
      ...contexts.filter((size) => !useful.includes(size)).map((contextSize) => ({ contextSize, slots: fewest })),
    ],
    useful: { contextSize: last, slots: fewest },
    least: { contextSize: Math.min(...contexts), slots: fewest },
    isShort: (shape) => shape.contextSize < (contexts[0] ?? 0) || shape.slots < slots,
  };
}

function needOfAll(model: WeighedModel, shape: MemoryShape): { readonly total: number; readonly context: number } {
  const needs = [model, ...(model.beside ?? [])].map((each) => memoryNeed(each, shape));
  return {
    total: needs.reduce((sum, { total }) => sum + total, 0),
    context: needs.reduce((sum, { context }) => sum + context, 0),
  };
}

/** What a model needs less memory with, as a sentence. */
export function leaner({ projector }: Pick<MemoryFacts, 'projector'>): string {
  const ways = ['a smaller quantization', 'a smaller --ctx-size', 'a smaller --parallel'];
  const all = projector ? [...ways, '--no-mmproj'] : ways;
  return `Use ${all.slice(0, -1).join(', ')} or ${all.at(-1)}.`;
}

function tooLarge(
  model: WeighedModel,
  { contextSize, slots, total, free }: Shape & { total: number; free: number },
): string {
  const shape = `${slots} ${slots === 1 ? 'slot' : 'slots'} of ${contextSize} tokens`;
  return `${model.id} does not fit into this machine's memory: with ${shape} it needs about ${showBytes(total)}, and ${showBytes(free)} are free. ${leaner(model)}`;
}
