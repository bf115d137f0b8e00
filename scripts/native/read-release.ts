import type { NativeTable } from '../../src/native/table.ts';
import { type Declarations, type FunctionDeclaration, readHeaders } from './read-headers.ts';
import type { ReleaseSource } from './release-source.ts';

export interface Release {
  readonly declarations: Declarations;
  readonly table: NativeTable;
}

/** In the order in which they include each other. */
const headers = [
  'ggml/include/ggml.h',
  'ggml/include/ggml-alloc.h',
  'ggml/include/ggml-backend.h',
  'ggml/include/ggml-cpu.h',
  'ggml/include/ggml-opt.h',
  'ggml/include/gguf.h',
  'include/llama.h',
];

/** Where the functions are that give default parameters, and the struct that each gives. */
const defaults = [
  { name: 'llama_model_default_params', struct: 'llama_model_params', path: 'src/llama-model.cpp' },
  { name: 'llama_context_default_params', struct: 'llama_context_params', path: 'src/llama-context.cpp' },
  { name: 'llama_sampler_chain_default_params', struct: 'llama_sampler_chain_params', path: 'src/llama.cpp' },
  { name: 'llama_model_quantize_default_params', struct: 'llama_model_quantize_params', path: 'src/llama-quant.cpp' },
];

/** @param commit of the release that the prebuilt libraries were built from, as `ggml_commit()` tells it */
export function readRelease(source: ReleaseSource, commit: string): Release {
  const declarations = readHeaders(headers.map((path) => source.read(path)));
  const lines = (home: FunctionDeclaration['home']) =>
    Object.fromEntries(
      declarations.functions.filter((each) => each.home === home).map((each) => [each.name, line(each)]),
    );
  const table: NativeTable = {
    llama: `${version(source.read('CMakeLists.txt'), 'LLAMA')}-dev`,
    ggml: version(source.read('ggml/CMakeLists.txt'), 'GGML'),
    commits: [commit, source.commit],
    functions: lines('library'),
    backendFunctions: lines('backend'),
    structs: Object.fromEntries(
      [...declarations.structs].map(([name, fields]) => [
        name,
        Object.fromEntries(fields.map((field) => [field.name, field.type])),
      ]),
    ),
    enums: Object.fromEntries([...declarations.enums].map(([name, values]) => [name, Object.fromEntries(values)])),
    defaults: {
      ...Object.fromEntries(
        defaults.map(({ name, struct, path }) => [name, initializer(declarations, struct, name, source.read(path))]),
      ),
      ggml_threadpool_params_default: assignments(source.read('ggml/src/ggml.c')),
    },
  };
  return { declarations, table };
}

function line({ result, parameters }: FunctionDeclaration): string {
  return [result, ...parameters.map((parameter) => parameter.type)].join(' ');
}

function version(text: string, library: string): string {
  const part = (name: string) => new RegExp(`set\\(${library}_VERSION_${name}\\s+(\\d+)\\)`).exec(text)?.[1];
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map(part);
  if (parts.includes(undefined)) throw new Error(`The version of ${library} is not where it was.`);
  return parts.join('.');
}

/** The values between the inner brackets of `X x_default_params() { X result = { value, ... }; ... }`, by field. */
function initializer(
  declarations: Declarations,
  struct: string,
  name: string,
  text: string,
): Record<string, number | boolean> {
  const body = new RegExp(`${name}\\(\\)\\s*\\{\\s*[^{]*\\{([^}]*)\\}`).exec(text)?.[1] ?? '';
  const values = [...body.matchAll(/\/\*\s*\.\w+\s*=\s*\*\/\s*([^,\n]+)/g)].map((match) => match[1] ?? '');
  const fields = declarations.structs.get(struct) ?? [];
  if (fields.length === 0 || values.length !== fields.length) throw new Error(`${name} is not as it was.`);
  return Object.fromEntries(fields.map((field, index) => [field.name, value(declarations, text, values[index] ?? '')]));
}

function value(declarations: Declarations, text: string, written: string): number | boolean {
  const word = written.trim();
  if (word === 'true' || word === 'false') return word === 'true';
  if (word === 'nullptr') return 0;
  if (/^-?[\d.]+f?$/.test(word)) return Number(word.replace('f', ''));
  const enumerator = [...declarations.enums.values()]
    .map((values) => values.get(word))
    .find((each) => each !== undefined);
  const known = enumerator ?? declarations.constants.get(word);
  if (known !== undefined) return known;
  // `static const size_t NAME = 8ull*1024*1024*1024;`
  const product = new RegExp(`\\b${word} = ([\\du*l]+);`).exec(text)?.[1];
  if (!product) throw new Error(`The default ${word} is not understood.`);
  return product.split('*').reduce((left, right) => left * Number.parseInt(right, 10), 1);
}

/** Of `ggml_threadpool_params_init`; its mask is all zero and its thread count the caller's. */
function assignments(text: string): Record<string, number | boolean> {
  const body = /void ggml_threadpool_params_init\([^{]*\{([^}]*)\}/.exec(text)?.[1] ?? '';
  const found = [...body.matchAll(/p->(\w+)\s*=\s*(\d+|true|false);/g)].map(
    ([, field = '', written = '']) => [field, /\d/.test(written) ? Number(written) : written === 'true'] as const,
  );
  if (found.length === 0) throw new Error('ggml_threadpool_params_init is not as it was.');
  return Object.fromEntries(found);
}
