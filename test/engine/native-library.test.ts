import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { withVariable } from '../../src/native/environment.ts';
import { findLibrary } from '../../src/native/find-library.ts';
import { openLibrary } from '../../src/native/open-library.ts';
import { nullPointer } from '../../src/native/pointer.ts';
import type { NativeTable } from '../../src/native/table.ts';
import { table as older } from '../../src/native/tables/llama-0.4.0.ts';
import { table } from '../../src/native/tables/llama-0.5.0.ts';

const files = findLibrary(false);
const opened = openLibrary(files);

/** The table with one struct's fields as this makes them. */
function withStruct(name: string, change: (fields: [string, string][]) => [string, string][]): NativeTable {
  const fields = Object.entries(table.structs[name] ?? {});
  return { ...table, structs: { ...table.structs, [name]: Object.fromEntries(change(fields)) } };
}

const swapped = (name: string, one: string, other: string) =>
  withStruct(name, (fields) => {
    const names = new Map([
      [one, other],
      [other, one],
    ]);
    return fields.map(([field]) => {
      const taken = names.get(field) ?? field;
      return [taken, table.structs[name]?.[taken] ?? ''];
    });
  });

describe('opening the library', () => {
  it('knows its release and that it runs on this machine', () => {
    expect(opened.version).toBe(table.llama);
    expect(opened.functions.ggml_backend_dev_count()).toBeGreaterThan(0);
  });

  it('calls on stacks of 16 MiB', () => {
    expect(koffi.config()).toMatchObject({ sync_stack_size: 16 * 1024 ** 2, async_stack_size: 16 * 1024 ** 2 });
  });

  it('refuses a build that no table is of, and tells which it is', () => {
    const unknown = { ...table, commits: ['fffffff'] };
    const open = () => openLibrary(files, { tables: [unknown, older] });
    expect(open).toThrow(
      new RegExp(`holds llama.cpp ${table.llama} \\(ggml ${table.ggml}, commit 0ad4a86\\), and this serve-model knows`),
    );
    expect(open).toThrow('run npm install again, and npx node-llama-cpp source clear if the library was built on');
    expect(() => openLibrary(files, { tables: [{ ...table, ggml: '0.25.2' }] })).toThrow(
      'knows 0.5.0-dev (ggml 0.25.2',
    );
    expect(() => openLibrary(files, { tables: [older] })).toThrow('knows 0.4.0-dev (ggml 0.23.0, commit 5b4ebc5) only');
  });

  it('refuses a library that cannot be loaded', () => {
    expect(() => openLibrary({ ...files, ggmlBase: '/nowhere/libggml-base.so' })).toThrow(
      'The native library libggml-base.so cannot be loaded on this machine: ',
    );
  });

  it('refuses a library without a function that is needed', () => {
    const tampered = { ...table, functions: { ...table.functions, llama_decode_twice: 'int32 pointer' } };
    expect(() => openLibrary(files, { tables: [tampered], needed: ['llama_decode', 'llama_decode_twice'] })).toThrow(
      'The native library of llama.cpp 0.5.0-dev lacks llama_decode_twice: install serve-model and node-llama-cpp again.',
    );
    expect(() => openLibrary(files, { needed: ['llama_decode_thrice'] })).toThrow('lacks llama_decode_thrice');
  });

  it('refuses a GPU that is not there', () => {
    expect(() => openLibrary({ ...files, gpu: 'cuda', needsGpu: true })).toThrow('No usable cuda device was found.');
  });

  it('tells a function that the release does not have at its name, not by a crash', () => {
    const { functions } = openLibrary(files, {
      tables: [{ ...table, functions: { ...table.functions, llama_gone: 'void' } }],
    });
    expect(() => Reflect.get(functions, 'llama_gone')).toThrow('llama.cpp 0.5.0-dev has no function llama_gone.');
  });
});

describe('a struct that is not as the table says', () => {
  const tampered: [string, NativeTable, string][] = [
    ['two fields changed places', swapped('llama_context_params', 'n_batch', 'n_ubatch'), 'gave another n_batch'],
    ['of two sizes', swapped('llama_context_params', 'defrag_thold', 'cb_eval'), 'gave another'],
    [
      'in the model parameters',
      swapped('llama_model_params', 'use_extra_bufts', 'no_host'),
      'gave another use_extra_bufts',
    ],
    ['in the quantizing parameters', swapped('llama_model_quantize_params', 'ftype', 'nthread'), 'gave another'],
    ['in the thread pool', swapped('ggml_threadpool_params', 'n_threads', 'poll'), 'gave another'],
    [
      'in the chain parameters',
      { ...table, defaults: { llama_sampler_chain_default_params: { no_perf: false } } },
      'no_perf',
    ],
    [
      'a field too few',
      {
        ...withStruct('llama_context_params', (fields) => fields.slice(0, -1)),
        defaults: { llama_context_default_params: {} },
      },
      'gave more than llama_context_params holds',
    ],
    [
      'a field too many',
      withStruct('llama_model_params', (fields) => [...fields.slice(0, 2), ['more', 'int32'], ...fields.slice(2)]),
      'gave another',
    ],
    ['in the batch', swapped('llama_batch', 'token', 'embd'), 'llama_batch'],
    ['at the end of the batch', swapped('llama_batch', 'seq_id', 'logits'), 'llama_batch'],
    ['in the tensor', swapped('ggml_tensor', 'ne', 'nb'), 'ggml_tensor'],
    ['in the name of the tensor', swapped('ggml_tensor', 'name', 'extra'), 'ggml_tensor'],
    ['in a candidate', swapped('llama_token_data', 'logit', 'p'), 'llama_token_data'],
    ['in the id of a candidate', swapped('llama_token_data', 'id', 'p'), 'llama_token_data'],
    ['in a bias', swapped('llama_logit_bias', 'token', 'bias'), 'llama_token_data'],
    ['in the list of candidates', swapped('llama_token_data_array', 'selected', 'sorted'), 'llama_token_data'],
  ];

  it.each(tampered)('%s', (_, wrong, seen) => {
    const open = () => openLibrary(files, { tables: [wrong] });
    expect(open).toThrow(
      'The native library says that it is llama.cpp 0.5.0-dev, but its structs are not that release',
    );
    expect(open).toThrow(seen);
  });
});

describe('the opened library', () => {
  it('gives the null pointer, and no memory there', () => {
    expect(opened.functions.ggml_backend_reg_by_name('no such backend')).toBe(nullPointer);
    expect(() => opened.view(nullPointer, 8)).toThrow('There is no memory at the null pointer.');
  });

  it('shares memory with C, both ways', () => {
    const batch = opened.functions.llama_batch_init(4, 0, 1);
    const tokens = () => new Int32Array(opened.view(batch.token ?? nullPointer, 16));
    tokens().set([1, 2, 3, 4]);
    expect([...tokens()]).toEqual([1, 2, 3, 4]);
    opened.functions.llama_batch_free(batch);
    const path = new Uint8Array(64);
    const length = opened.functions.llama_split_path(path, path.length, '/models/a', 1, 4);
    expect(Buffer.from(path).toString('utf8', 0, length)).toBe('/models/a-00002-of-00004.gguf');
  });

  it('has the functions of a backend', () => {
    const registration = opened.functions.ggml_backend_reg_by_name('CPU');
    const start = opened.backendFunction(registration, 'ggml_threadpool_new');
    const free = opened.backendFunction(registration, 'ggml_threadpool_free');
    const parameters = opened.functions.ggml_threadpool_params_default(2);
    const pool = start(opened.write('ggml_threadpool_params', { ...parameters, poll: 0 }));
    expect(pool).not.toBe(nullPointer);
    free(pool);
    expect(() => opened.backendFunction(registration, 'ggml_numa_init')).toThrow(
      'The backend has no function ggml_numa_init.',
    );
  });

  it('tells where a field lies', () => {
    const candidate = opened.layout('llama_token_data');
    expect([candidate.size, candidate.offsetOf('logit'), candidate.offsetOf('p')]).toEqual([12, 4, 8]);
    expect(opened.layout('llama_model_kv_override').offsetOf('val_bool')).toBe(136);
    expect(() => candidate.offsetOf('bias')).toThrow(
      'llama_token_data has no field bias in this release of llama.cpp.',
    );
  });

  it('describes its devices', () => {
    const device = opened.functions.ggml_backend_dev_get(0);
    const bytes = new Uint8Array(opened.layout('ggml_backend_dev_props').size);
    opened.functions.ggml_backend_dev_get_props(device, bytes);
    const { name, memory_total: total } = opened.read('ggml_backend_dev_props', opened.address(bytes));
    expect(name).toBe(opened.functions.ggml_backend_dev_name(device));
    expect(total).toBeGreaterThan(0);
  });

  it('opens in a worker too, beside the main thread', async () => {
    const module = pathToFileURL(resolve(import.meta.dirname, '../../dist/native/open-library.js')).href;
    const code = `
      import { parentPort, workerData } from 'node:worker_threads';
      const { openLibrary } = await import(workerData.module);
      const { version, functions } = openLibrary(workerData.files);
      parentPort.postMessage([version, functions.ggml_backend_reg_count()]);`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    const worker = new Worker(url, { workerData: { module, files } });
    const said = await new Promise((tell, fail) => worker.once('message', tell).once('error', fail));
    expect(said).toEqual([table.llama, opened.functions.ggml_backend_reg_count()]);
    await worker.terminate();
  });

  it.runIf(process.platform !== 'win32')('can set a variable for native code alone, while something runs', () => {
    const get = koffi.load(null).func('getenv', 'str', ['str']);
    const seen: (string | null)[] = [];
    withVariable('SERVE_MODEL_TRIES', 'outer', () => {
      seen.push(get('SERVE_MODEL_TRIES'));
      withVariable('SERVE_MODEL_TRIES', 'inner', () => seen.push(get('SERVE_MODEL_TRIES')));
    });
    expect([...seen, get('SERVE_MODEL_TRIES')]).toEqual(['outer', 'outer', null]);
  });

  it('is silent unless it is asked to speak', () => {
    const module = pathToFileURL(resolve(import.meta.dirname, '../../dist/native/open-library.js')).href;
    const heard = (verbose: boolean) => {
      const code = `
        const { openLibrary } = await import(${JSON.stringify(module)});
        const { functions } = openLibrary(${JSON.stringify(files)}, { verbose: ${verbose} });
        functions.llama_model_load_from_file('/nowhere.gguf', functions.llama_model_default_params());
        process.stderr.write('end');`;
      return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).stderr;
    };
    expect(heard(false)).toBe('end');
    expect(heard(true)).toContain('/nowhere.gguf');
  });
});
