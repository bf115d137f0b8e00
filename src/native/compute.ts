import { gpusOf } from './devices.ts';
import { GgmlBackendDevType } from './functions.ts';
import type { Graph } from './graph.ts';
import { Handle } from './handle.ts';
import type { Interrupt } from './interrupt.ts';
import type { NativeLibrary } from './library.ts';
import { deviceNamed } from './model.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import { countOf, type Tensor, Tensors } from './tensors.ts';
import type { ThreadPools } from './thread-pools.ts';

export interface ComputeOptions {
  /** On a GPU if there is one; what it cannot do is left to the processor. */
  readonly gpu: boolean;
  readonly pools: ThreadPools;
  /** Ends a computation on the processor between two operations. */
  readonly interrupt?: Interrupt | undefined;
  /** false: scores are computed in full. Else quickly where the device can. */
  readonly flashAttention?: boolean | undefined;
}

/** ggml_status. */
const statuses = { done: 0, interrupted: 1 } as const;
const mostNodes = 8192;

/** Computes graphs, on the device of the weights and with the processor behind it. */
export class Compute extends Handle {
  readonly library: NativeLibrary;
  /** For people: CPU, CUDA0. */
  readonly device: string;
  readonly onGpu: boolean;
  readonly #backends: readonly Pointer[];
  readonly #cpu: Pointer;
  readonly #pools: ThreadPools;
  readonly #letInterruptGo: (() => void) | undefined;
  readonly #mayBeQuick: boolean;
  readonly #quick = new Map<string, boolean>();
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
    this.#mayBeQuick = options.flashAttention ?? true;
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
    if (this.#threads === 0) throw new Error('The number of threads has to be chosen first.');
    const { functions } = this.library;
    for (const tensor of wanted) graph.output(tensor);
    functions.ggml_backend_sched_reset(this.pointer);
    if (!functions.ggml_backend_sched_alloc_graph(this.pointer, graph.pointer)) {
      throw new Error('There is not enough memory to compute this image.');
    }
    for (const { tensor, data } of graph.inputs) {
      functions.ggml_backend_tensor_set(tensor.pointer, data, 0, data.byteLength);
    }
    const status = functions.ggml_backend_sched_graph_compute(this.pointer, graph.pointer);
    if (status === statuses.interrupted) return undefined;
    if (status !== statuses.done) throw new Error(`A graph could not be computed (${status}).`);
    return wanted.map((tensor) => {
      const values = new Float32Array(countOf(tensor.shape));
      functions.ggml_backend_tensor_get(tensor.pointer, values, 0, values.byteLength);
      return values;
    });
  }

  /** Whether the first device attends quickly with heads of this size: else the scores are computed in full. */
  hasFlashAttention(headSize: number, heads: number): boolean {
    if (!this.#mayBeQuick) return false;
    const shape = `${headSize} ${heads}`;
    const quick = this.#quick.get(shape) ?? this.#supportsFlash(headSize, heads);
    this.#quick.set(shape, quick);
    return quick;
  }

  #supportsFlash(headSize: number, heads: number): boolean {
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
