import { GgmlOp } from './functions.ts';
import type { NativeLibrary } from './library.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import { type Tensors, tensorTypes } from './tensors.ts';

const { NONE, RESHAPE, VIEW, PERMUTE, TRANSPOSE, MUL_MAT, FLASH_ATTN_EXT, SOFT_MAX, UNARY, GLU } = GgmlOp;

/** Operations that are none: they say how values are looked at. */
const free: ReadonlySet<number> = new Set([NONE, RESHAPE, VIEW, PERMUTE, TRANSPOSE]);
/** What a value costs that no product makes, in multiplications: it is fetched, and written. */
const valueCost = 32;

/** An operation whose rows are computed apart from each other. `planes`: the extents behind that along which it is cut. */
interface Cut {
  readonly along: number;
  readonly planes: readonly number[];
  /** What of each source belongs to the rows; without `along`: all of it. */
  readonly sources: readonly { readonly along?: number; readonly planes: readonly number[] }[];
  /** Rows of a slice are a multiple, so that the library computes them in the same way as all at once. */
  readonly multiple: number;
}

const behindRows = [2, 3];
const byRow = { along: 1, planes: behindRows };
/** ggml's flash attention takes so many queries at once, and fewer in another way. */
const attentionTile = 64;
const fewRows = 16;

const cuts: Readonly<Record<number, Cut>> = {
  [MUL_MAT]: { ...byRow, sources: [{ planes: behindRows }, byRow], multiple: fewRows },
  [UNARY]: { ...byRow, sources: [byRow], multiple: fewRows },
  [SOFT_MAX]: { ...byRow, sources: [byRow], multiple: fewRows },
  [GLU]: { ...byRow, sources: [byRow, byRow], multiple: fewRows },
  [FLASH_ATTN_EXT]: {
    ...{ along: 2, planes: [3], multiple: attentionTile },
    sources: [{ along: 1, planes: [3] }, { planes: [3] }, { planes: [3] }],
  },
};

/** What is taken of a tensor along one of its extents. */
interface Range {
  readonly extent: number;
  readonly from: number;
  readonly count: number;
}

/** A tensor of a graph as the library sees it: what makes it, and where its values lie. */
export class GraphNode {
  readonly pointer: Pointer;
  readonly #library: NativeLibrary;
  readonly #places: Places;
  readonly #fields: DataView;

  constructor(library: NativeLibrary, pointer: Pointer, places = placesOf(library)) {
    this.pointer = pointer;
    this.#library = library;
    this.#places = places;
    this.#fields = new DataView(library.view(pointer, places.size));
  }

  /** About how long it takes, in multiplications. */
  get cost(): number {
    const operation = this.#operation;
    if (free.has(operation)) return 0;
    const values = this.#extent(0) * this.#extent(1) * this.#extent(2) * this.#extent(3);
    if (operation === MUL_MAT) return values * this.#extentOfSource(0, 0);
    if (operation === FLASH_ATTN_EXT) return values * 2 * this.#extentOfSource(1, 1);
    return values * valueCost;
  }

  /** Rows that can be computed apart from each other; 1: it cannot be cut. */
  get rows(): number {
    const cut = this.#cut;
    if (!cut) return 1;
    return [cut.along, ...cut.planes].reduce((product, extent) => product * this.#extent(extent), 1);
  }

  /** How many of about `wanted` rows from `from` on a slice takes: of one plane, in multiples, and leaving no few ones. */
  sliceOf(from: number, wanted: number): number {
    const cut = this.#cut;
    if (!cut) return 1;
    const inPlane = this.#extent(cut.along);
    const left = inPlane - (from % inPlane);
    const count = Math.max(cut.multiple, Math.floor(wanted / cut.multiple) * cut.multiple);
    return left < count + cut.multiple ? left : count;
  }

  /** The same operation for so many rows from `from` on, all of one plane; its values go to their place. */
  slice(space: Tensors, from: number, count: number): Pointer {
    const cut = this.#cut;
    if (!cut) throw new RangeError('This operation cannot be cut.');
    const inPlane = this.#extent(cut.along);
    const places = this.#planeOf(cut, Math.floor(from / inPlane));
    const rows = { from: from % inPlane, count };
    const own = this.#part(space, [
      { extent: cut.along, ...rows },
      ...cut.planes.map((extent, at) => ({ extent, from: places[at] ?? 0, count: 1 })),
    ]);
    for (const [index, { along, planes }] of cut.sources.entries()) {
      const source = this.#source(index);
      if (!source) continue;
      const part = source.#part(space, [
        ...(along === undefined ? [] : [{ extent: along, ...rows }]),
        // Fewer planes than the result has: each is for several of them.
        ...planes.map((extent, at) => {
          const repeats = this.#extent(cut.planes[at] ?? 0) / source.#extent(extent);
          return { extent, from: Math.floor((places[at] ?? 0) / repeats), count: 1 };
        }),
      ]);
      own.#fields.setBigUint64(this.#places.src + 8 * index, part.pointer, true);
    }
    return own.pointer;
  }

  get #operation(): number {
    return this.#fields.getInt32(this.#places.op, true);
  }

  /** undefined: it has no rule, or a source that is not in it, such as a mask. */
  get #cut(): Cut | undefined {
    const cut = cuts[this.#operation];
    return cut && !this.#source(cut.sources.length) ? cut : undefined;
  }

  /** The place of a plane in each of the extents that count planes. */
  #planeOf(cut: Cut, plane: number): number[] {
    let left = plane;
    return cut.planes.map((extent) => {
      const place = left % this.#extent(extent);
      left = Math.floor(left / this.#extent(extent));
      return place;
    });
  }

  /** A tensor that is a part of this one, where this one's values lie. */
  #part(space: Tensors, ranges: readonly Range[]): GraphNode {
    const part = new GraphNode(this.#library, space.create(tensorTypes.f32, [1]).pointer, this.#places);
    new Uint8Array(part.#fields.buffer).set(new Uint8Array(this.#fields.buffer));
    let data = this.#fields.getBigUint64(this.#places.data, true);
    for (const { extent, from, count } of ranges) {
      part.#fields.setBigInt64(this.#places.ne + 8 * extent, BigInt(count), true);
      data += BigInt(from) * this.#fields.getBigUint64(this.#places.nb + 8 * extent, true);
    }
    part.#fields.setBigUint64(this.#places.data, data, true);
    return part;
  }

  #extent(place: number): number {
    return Number(this.#fields.getBigInt64(this.#places.ne + 8 * place, true));
  }

  #extentOfSource(index: number, place: number): number {
    const source = this.#source(index);
    return source ? source.#extent(place) : 0;
  }

  #source(index: number): GraphNode | undefined {
    const pointer = this.#fields.getBigUint64(this.#places.src + 8 * index, true) as Pointer;
    return pointer === nullPointer ? undefined : new GraphNode(this.#library, pointer, this.#places);
  }
}

/** Where the fields are. */
type Places = ReturnType<typeof placesOf>;

function placesOf(library: NativeLibrary) {
  const { size, offsetOf } = library.layout('ggml_tensor');
  return {
    size,
    op: offsetOf('op'),
    ne: offsetOf('ne'),
    nb: offsetOf('nb'),
    src: offsetOf('src'),
    data: offsetOf('data'),
  };
}
