import type { Clock } from '../contract/services.ts';
import { Computation } from './computation.ts';
import { gpusOf } from './devices.ts';
import { GgmlBackendDevType } from './functions.ts';
import type { Graph } from './graph.ts';
import { Handle } from './handle.ts';
import type { Interrupt } from './interrupt.ts';
import type { NativeLibrary } from './library.ts';
import { deviceNamed } from './model.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import { type Tensor, Tensors } from './tensors.ts';
import type { ThreadPools } from './thread-pools.ts';

export interface ComputeOptions {
  /** On a GPU if there is one; what it cannot do is left to the processor. */
  readonly gpu: boolean;
  readonly pools: ThreadPools;
  /** Ends a computation on the processor between two operations. */
  readonly interrupt?: Interrupt | undefined;
  /** Whether attention is to be computed with flash attention, where the device can; undefined: as is quicker. */
  readonly flashAttention?: boolean | undefined;
  /** Measures what is quicker, in milliseconds. */
  readonly clock: Clock;
}

const mostNodes = 8192;

/** Computes graphs, on the device of the weights and with the processor behind it. */
export class Compute extends Handle {
  readonly library: NativeLibrary;
  /** For people: CPU, CUDA0. */
  readonly device: string;
  readonly onGpu: boolean;
  readonly flashAttention: boolean | undefined;
  readonly clock: Clock;
  readonly #backends: readonly Pointer[];
  readonly #cpu: Pointer;
  readonly #pools: ThreadPools;
  readonly #letInterruptGo: (() => void) | undefined;
  #letPoolGo: () => void = () => undefined;
  #threads = 0;

  private constructor(library: NativeLibrary, options: ComputeOptions, backends: readonly Pointer[], device: string) {
    const { functions } = library;
    const types = BigUint64Array.from(backends, (backend) => functions.ggml_backend_get_default_buffer_type(backend));
    const list = BigUint64Array.from(backends);
    super('compute', functions.ggml_backend_sched_new(list, types, backends.length, mostNodes, false, true));
    this.library = library;
    this.device = device;
    this.onGpu = backends.length > 1;
    this.#backends = backends;
    this.#cpu = backends.at(-1) ?? nullPointer;
    this.#pools = options.pools;
    this.flashAttention = options.flashAttention;
    this.clock = options.clock;
    const { interrupt } = options;
    if (interrupt)
      this.#setOnCpu('ggml_backend_cpu_set_abort_callback')(this.#cpu, interrupt.callback, interrupt.pointer);
    this.#letInterruptGo = interrupt?.use();
  }

  /** Throws where a device does not open. */
  static create(library: NativeLibrary, options: ComputeOptions): Compute {
    const { functions } = library;
    const opened = (pointer: Pointer) => {
      if (pointer === nullPointer) throw new Error('a device could not be opened');
      return pointer;
    };
    const [gpu] = options.gpu ? gpusOf(library) : [];
    const backends = [
      ...(gpu ? [opened(functions.ggml_backend_dev_init(deviceNamed(library, gpu.name), null))] : []),
      opened(functions.ggml_backend_init_by_type(GgmlBackendDevType.CPU, null)),
    ];
    return new Compute(library, options, backends, gpu?.name ?? 'CPU');
  }

  /** Where weights lie that it computes with. */
  get bufferType(): Pointer {
    return this.library.functions.ggml_backend_get_default_buffer_type(this.#backends[0] ?? nullPointer);
  }

  /** Whether it knows its threads; before, graphs can only be described. */
  get isReady(): boolean {
    return this.#threads > 0;
  }

  /** Before the first graph: ggml would take four threads of its own. */
  useThreads(threads: number): void {
    if (this.#threads === threads) return;
    this.#threads = threads;
    this.#setOnCpu('ggml_backend_cpu_set_n_threads')(this.#cpu, threads);
    const pool = this.#pools.of(threads);
    this.#setOnCpu('ggml_backend_cpu_set_threadpool')(this.#cpu, pool.pointer);
    this.#letPoolGo();
    this.#letPoolGo = pool.use();
  }

  /** The values of the tensors that were asked for; undefined: it was interrupted. */
  run(graph: Graph, wanted: readonly Tensor[]): Float32Array[] | undefined {
    const computation = this.begin(graph, wanted);
    return computation.advance(Number.POSITIVE_INFINITY) === undefined ? undefined : computation.values();
  }

  /** Gives a graph its memory, which the next one takes over. On the processor alone it can be computed in pieces. */
  begin(graph: Graph, wanted: readonly Tensor[]): Computation {
    if (!this.isReady) throw new Error('The number of threads has to be chosen first.');
    const { functions } = this.library;
    for (const tensor of wanted) graph.output(tensor);
    functions.ggml_backend_sched_reset(this.pointer);
    if (!functions.ggml_backend_sched_alloc_graph(this.pointer, graph.pointer)) {
      throw new Error('There is not enough memory to compute this image.');
    }
    for (const { tensor, data } of graph.inputs) {
      functions.ggml_backend_tensor_set(tensor.pointer, data, 0, data.byteLength);
    }
    return new Computation(graph, wanted, {
      whole: (pointer) => functions.ggml_backend_sched_graph_compute(this.pointer, pointer),
      part: this.onGpu ? undefined : (pointer) => functions.ggml_backend_graph_compute(this.#cpu, pointer),
    });
  }

  /** Whether the first device has flash attention with heads of this size. */
  hasFlashAttention(headSize: number, heads: number): boolean {
    const { functions } = this.library;
    const space = new Tensors(this.library, 16);
    try {
      const rows = 64;
      const create = (type: number) => functions.ggml_new_tensor_4d(space.pointer, type, headSize, rows, heads, 1);
      const [q, k, v] = [create(0), create(1), create(1)];
      const attention = functions.ggml_flash_attn_ext(space.pointer, q, k, v, null, 1, 0, 0);
      return functions.ggml_backend_supports_op(this.#backends[0] ?? nullPointer, attention);
    } finally {
      space.free();
    }
  }

  #setOnCpu<
    Name extends
      | 'ggml_backend_cpu_set_n_threads'
      | 'ggml_backend_cpu_set_threadpool'
      | 'ggml_backend_cpu_set_abort_callback',
  >(name: Name) {
    return this.library.backendFunction(this.library.functions.ggml_backend_reg_by_name('CPU'), name);
  }

  protected release(pointer: Pointer): void {
    const { functions } = this.library;
    functions.ggml_backend_sched_free(pointer);
    for (const backend of this.#backends) functions.ggml_backend_free(backend);
    this.#letPoolGo();
    this.#letInterruptGo?.();
  }
}
