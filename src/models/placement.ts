import { showBytes } from '../contract/amounts.ts';
import type { PlacementWish } from '../contract/load-wish.ts';
import { leaner, type MemoryAtHand, reserveOf, type Shape, shapesFor, type WeighedModel } from './default-context.ts';
import { computeBytes, contextOfLayers, layersOf, memoryNeed } from './memory.ts';
import { type DeviceLoad, spread } from './spread.ts';
import { type WeightSizes, type WeightTensor, weightSizes } from './weight-places.ts';

/** Memory of one GPU, in bytes. */
export interface GpuMemory {
  /** As the library names it. */
  readonly name: string;
  readonly description: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** It is a part of main memory. */
  readonly sharesMain: boolean;
}

export interface PlacedModel extends WeighedModel {
  readonly tensors: readonly WeightTensor[];
}

/** Where a model goes on a machine with GPUs. */
export interface Placement extends Shape {
  readonly prefixCache: number;
  readonly short: boolean;
  /** Of `layers`. */
  readonly gpuLayers: number;
  /** With the output. */
  readonly layers: number;
  /** The first so many layers have their experts in main memory. */
  readonly expertLayers: number;
  /** undefined: llama.cpp's own, or what was asked for. */
  readonly tensorSplit: readonly number[] | undefined;
  readonly main: DeviceLoad;
  /** In the order of the GPUs. */
  readonly gpus: readonly DeviceLoad[];
}

/** A GPU's memory that no model takes by default: its driver, the library's workspaces and a desktop need it. */
export function gpuReserveOf(total: number): number {
  return Math.min(1024 ** 3, total * 0.15);
}

interface Candidate {
  readonly gpuLayers: number;
  readonly expertLayers: number;
}

/**
 * How a model goes on GPUs and main memory, by what its file says and the devices have. All of it on the GPUs where that
 * leaves a useful context in every slot; else the experts of as few layers as possible stay in main memory, then slots go
 * (down to one, of 8k tokens), then whole layers. What is left then goes to the context and the slots again. A layer's
 * experts are most of its bytes and computed for a few tokens each, so they lose least there; its attention and context
 * would lose all. undefined: not even one layer fits, so the processor takes it all.
 */
export function placeModel(
  model: PlacedModel,
  wish: PlacementWish,
  memory: MemoryAtHand,
  gpus: readonly GpuMemory[],
): Placement | { readonly tooLarge: string } | undefined {
  const { shapes, useful, isShort } = shapesFor(model, wish);
  const layout = layoutOf(model, wish, gpus);
  const candidates = candidatesFor(layout.sizes, wish);
  const usefulShapes = shapes.filter(({ contextSize }) => contextSize === useful.contextSize);
  const firstFitting = (list: readonly Candidate[], those: readonly Shape[]) =>
    those.flatMap((shape) => list.find((candidate) => layout.place(candidate, shape)) ?? [])[0];
  const chosen =
    firstFitting(candidates.whole, usefulShapes) ??
    firstFitting(candidates.parts, [useful]) ??
    // Who names the layers gets them: the estimate is on the safe side.
    (wish.gpuLayers === undefined ? undefined : candidates.whole.at(-1));
  if (!chosen) return undefined;

  const placed = shapes.flatMap((shape) => {
    const places = layout.place(chosen, shape);
    return places ? [{ shape, places }] : [];
  });
  const sharesMain = gpus.some((gpu) => gpu.sharesMain);
  const spare = (bytes: number) => (sharesMain ? Number.POSITIVE_INFINITY : memory.available - bytes);
  const roomy = placed.find(({ places }) => spare(places.main.total) >= reserveOf(memory.total) + memory.prefixCache);
  const found = roomy ?? placed.find(({ places }) => spare(places.main.total) >= places.main.context) ?? placed.at(-1);
  const { shape, places } = found ?? { shape: useful, places: layout.force(chosen, useful) };
  const rest = spare(places.main.total);
  if (rest < 0) return { tooLarge: tooLarge(model, places, memory) };
  return {
    ...shape,
    ...chosen,
    ...places,
    layers: layout.sizes.layers.length + 1,
    prefixCache: roomy ? memory.prefixCache : Math.min(memory.prefixCache, rest / 2),
    short: isShort(shape),
  };
}

/** For people; undefined where all of it is on the GPU. */
export function describePlacement({ gpuLayers, layers, expertLayers }: Placement): string | undefined {
  const words = [
    ...(gpuLayers < layers ? [`${gpuLayers} of ${layers} layers`] : []),
    ...(expertLayers > 0 ? [`experts of ${expertLayers} layers in main memory (--n-cpu-moe ${expertLayers})`] : []),
  ];
  return words.length === 0 ? undefined : words.join(', ');
}

/** `whole`: with all the layers that are wanted, as few experts in main memory as possible first; `parts`: with fewer. */
function candidatesFor({ layers }: WeightSizes, wish: PlacementWish) {
  const lastWithExperts = layers.findLastIndex(({ experts }) => experts > 0) + 1;
  const asked = wish.expertLayers === 'all' ? lastWithExperts : wish.expertLayers;
  const expertLayers = Array.from({ length: lastWithExperts + 1 }, (_, count) => count).filter((count) =>
    asked === undefined
      ? count === 0 || (layers[count - 1]?.experts ?? 0) > 0
      : count === Math.min(asked, lastWithExperts),
  );
  const all = layers.length + 1;
  const gpuLayers = Math.min(wish.gpuLayers ?? all, all);
  const fewer = wish.gpuLayers === undefined ? Array.from({ length: all - 1 }, (_, less) => all - 1 - less) : [];
  return {
    whole: expertLayers.map((count) => ({ gpuLayers, expertLayers: count })),
    parts: fewer.map((count) => ({ gpuLayers: count, expertLayers: expertLayers.at(-1) ?? 0 })),
  };
}

/** What goes where, for each candidate and shape. */
function layoutOf(model: PlacedModel, wish: PlacementWish, gpus: readonly GpuMemory[]) {
  const sizes = weightSizes(model.tensors, layersOf(model), wish.tensorPlaces);
  const known = new Map<Shape, ReturnType<typeof needOf>>();
  const needOf = (shape: Shape) => {
    const whole = { ...wish, ...shape };
    const besides = (model.beside ?? []).map((other) => memoryNeed(other, whole).total);
    return {
      context: contextOfLayers(model, whole),
      compute: computeBytes(model, whole),
      // The projector goes where the first layers go.
      beside: besides.reduce((sum, bytes) => sum + bytes, model.projector?.sizeBytes ?? 0),
    };
  };
  const place = ({ gpuLayers, expertLayers }: Candidate, shape: Shape, force: boolean) => {
    const need = known.get(shape) ?? needOf(shape);
    known.set(shape, need);
    const { context, compute, beside } = need;
    const first = sizes.layers.length + 1 - gpuLayers;
    const onGpu: { weights: number; context: number }[] = [];
    const main = { weights: sizes.input + (sizes.placed.get('CPU') ?? 0), context: 0 };
    for (const [layer, { experts, rest }] of [...sizes.layers, { experts: 0, rest: sizes.output }].entries()) {
      const part = { weights: rest + experts, context: context[layer] ?? 0 };
      if (layer < first) add(main, part);
      else if (layer >= expertLayers) onGpu.push(part);
      else {
        add(main, { weights: experts, context: 0 });
        onGpu.push({ ...part, weights: rest });
      }
    }
    const borrowed = first > 0 || expertLayers > 0 || sizes.placed.has('CPU') ? 2 * sizes.largest : 0;
    const devices = gpus.map(({ name, freeBytes, totalBytes }, index) => ({
      room: freeBytes - gpuReserveOf(totalBytes),
      fixed: {
        weights: (sizes.placed.get(name) ?? 0) + (index === 0 ? beside : 0),
        context: 0,
        compute: compute + borrowed,
      },
    }));
    const spreading = spread(onGpu, devices, wish, force);
    return spreading && { ...spreading, main: { ...main, compute, total: main.weights + main.context + compute } };
  };
  return {
    sizes,
    place: (candidate: Candidate, shape: Shape) => place(candidate, shape, false),
    force(candidate: Candidate, shape: Shape) {
      const places = place(candidate, shape, true);
      if (!places) throw new RangeError('there is no GPU');
      return places;
    },
  };
}

function add(sum: { weights: number; context: number }, part: { weights: number; context: number }): void {
  sum.weights += part.weights;
  sum.context += part.context;
}

function tooLarge(model: PlacedModel, { main }: { main: DeviceLoad }, { available }: MemoryAtHand): string {
  return `${model.id} does not fit into this machine's memory: beside what its GPUs take it needs about ${showBytes(main.total)}, and ${showBytes(available)} are free. ${leaner(model)}`;
}
