import koffi from 'koffi';
import { GgmlType } from './functions.ts';
import type { Libraries } from './libraries.ts';
import type { NativeLibrary } from './library.ts';
import type { NativeTypes } from './native-types.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import type { NativeTable } from './table.ts';

/** Of a struct that a function gives: what C writes after the end of a description that is too short. */
const slackBytes = 512;
/** ABIs give a struct up to this size in registers. */
const registerBytes = 16;

/**
 * Finds out whether the structs lie in memory as the table says, as far as this can be seen without harm: the parameters
 * that have a function giving defaults by each field, those that the step loop reads and writes by a round trip.
 * @throws Error in one sentence
 */
export function checkLayouts(
  library: NativeLibrary,
  libraries: Libraries,
  table: NativeTable,
  types: NativeTypes,
): void {
  for (const name of Object.keys(table.defaults)) checkDefaults(name, { library, libraries, table, types });
  const trips = {
    llama_batch: goesThroughBatch,
    ggml_tensor: goesThroughTensor,
    llama_token_data: goesThroughSamplers,
  };
  for (const [struct, goesThrough] of Object.entries(trips)) {
    if (!goesThrough(library)) throw otherLayout(table, `a round trip through ${struct}`);
  }
}

interface Opened {
  readonly library: NativeLibrary;
  readonly libraries: Libraries;
  readonly table: NativeTable;
  readonly types: NativeTypes;
}

function checkDefaults(name: string, { library, libraries, table, types }: Opened): void {
  const [struct = '', ...parameters] = (table.functions[name] ?? '').split(' ');
  const inMemory = types.layout(struct).size > registerBytes;
  const result = inMemory ? types.withSlack(struct, slackBytes) : types.type(struct);
  const prototype = koffi.proto(
    result,
    parameters.map((parameter) => types.type(parameter)),
  );
  if (inMemory) paintResultMemory(library);
  // The only parameter that any of them has is a number of threads.
  const threads = 3;
  const given = koffi.call(libraries.symbol(name), prototype, ...parameters.map(() => threads));
  const values: Record<string, unknown> = inMemory ? given.value : given;
  const expected = { ...table.defaults[name], ...(parameters.length > 0 ? { n_threads: threads } : {}) };
  for (const [field, value] of Object.entries(expected)) {
    if (Number(values[field]) !== Number(value)) throw otherLayout(table, `${name} gave another ${field}`);
  }
  if (inMemory && new Set(given.slack).size > 1) throw otherLayout(table, `${name} gave more than ${struct} holds`);
}

/** koffi takes the memory of a result where the last call's text was: what C leaves alone there keeps its letter. */
function paintResultMemory({ functions }: NativeLibrary): void {
  functions.ggml_backend_reg_by_name('U'.repeat(16 * slackBytes));
}

function otherLayout({ llama }: NativeTable, seen: string): Error {
  return new Error(
    `The native library says that it is llama.cpp ${llama}, but its structs are not that release's (${seen}): ` +
      'run npm install again, and npx node-llama-cpp source clear if the library was built on this machine.',
  );
}

function goesThroughBatch({ functions, view }: NativeLibrary): boolean {
  const tokens = 4;
  const batch = functions.llama_batch_init(tokens, 0, 2);
  const arrays = [batch.token, batch.pos, batch.n_seq_id, batch.seq_id, batch.logits];
  const whole = batch.n_tokens === 0 && batch.embd === null && new Set(arrays).size === arrays.length;
  if (!whole || arrays.includes(null)) return false;
  // The list of sequences of each token, and null after the last.
  const sequences = new BigUint64Array(view(batch.seq_id ?? nullPointer, 8 * (tokens + 1)));
  const ended = sequences.indexOf(0n) === tokens;
  if (ended) functions.llama_batch_free(batch);
  return ended;
}

function goesThroughTensor({ functions, read }: NativeLibrary): boolean {
  const context = functions.ggml_init({ mem_size: 16 * 1024, mem_buffer: null, no_alloc: true });
  if (context === nullPointer) return false;
  const pointer = functions.ggml_new_tensor_4d(context, GgmlType.F16, 2, 3, 5, 7);
  functions.ggml_set_name(pointer, 'layout');
  const tensor = read('ggml_tensor', pointer);
  functions.ggml_free(context);
  return (
    tensor.type === GgmlType.F16 &&
    sameNumbers(tensor.ne, [2, 3, 5, 7]) &&
    sameNumbers(tensor.nb, [2, 4, 12, 60]) &&
    String.fromCharCode(...Array.from(tensor.name).filter(Boolean)) === 'layout' &&
    [tensor.buffer, tensor.view_src, tensor.data, tensor.extra].every((each) => each === null)
  );
}

function sameNumbers(numbers: ArrayLike<number | bigint>, expected: readonly number[]): boolean {
  return Array.from(numbers).map(Number).join() === expected.join();
}

/** Three candidates: a greedy draw, the bias of one, probabilities, and a cut to the likeliest. */
function goesThroughSamplers(library: NativeLibrary): boolean {
  const { functions, layout, read, write, address } = library;
  const size = layout('llama_token_data').size;
  const candidates = new Uint8Array(3 * size);
  for (const [index, [id, logit]] of [
    [7, 1],
    [11, 3],
    [5, 2],
  ].entries()) {
    candidates.set(write('llama_token_data', { id: id ?? 0, logit: logit ?? 0, p: 0 }), index * size);
  }
  const list = write('llama_token_data_array', { data: address(candidates), size: 3, selected: -1, sorted: false });
  const apply = (sampler: Pointer) => {
    functions.llama_sampler_apply(sampler, list);
    functions.llama_sampler_free(sampler);
    const array = read('llama_token_data_array', address(list));
    const chances = [0, 1, 2].map((index) => read('llama_token_data', addressAt(library, candidates, index * size)));
    return { ...array, chances };
  };
  if (apply(functions.llama_sampler_init_greedy()).selected !== 1) return false;
  const bias = write('llama_logit_bias', { token: 5, bias: 1.5 });
  if (apply(functions.llama_sampler_init_logit_bias(16, 1, bias)).chances[2]?.logit !== 3.5) return false;
  const drawn = apply(functions.llama_sampler_init_dist(1)).chances.reduce((sum, each) => sum + each.p, 0);
  if (Math.abs(drawn - 1) > 1e-5) return false;
  const cut = apply(functions.llama_sampler_init_top_k(1));
  return cut.size === 1 && cut.sorted && cut.chances[0]?.id === 5;
}

function addressAt({ address }: NativeLibrary, bytes: Uint8Array, offset: number): Pointer {
  return address(bytes.subarray(offset));
}
