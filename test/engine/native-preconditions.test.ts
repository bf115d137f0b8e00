import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { demoModelPath } from '../support/demo-engine.ts';
import { llamaSources } from '../support/llama-sources.ts';
import { runs } from '../support/runs.ts';

/**
 * What ends the process, asked of the library itself: each row of the table in src/native/README.md that is guarded in
 * JavaScript. A row that no longer dies here has lost its reason with a release of llama.cpp.
 */
const module = (name: string) => pathToFileURL(resolve(import.meta.dirname, '../../dist/native', name)).href;
const vocabularies = llamaSources('models');
/** Of 4,096 letters without a space; FUZZ_RUNS=5 makes them 200,000. */
const piecesOfLetters = runs(10);

const prelude = `
  const { findLibrary } = await import('${module('find-library.js')}');
  const { openLibrary } = await import('${module('open-library.js')}');
  const library = openLibrary(findLibrary(false));
  const { functions: llama } = library;
  const load = (path, more = {}) =>
    llama.llama_model_load_from_file(path, { ...llama.llama_model_default_params(), n_gpu_layers: 0, ...more });
  const demo = () => load(${JSON.stringify(demoModelPath)});
  const context = (more = {}) => llama.llama_init_from_model(demo(), {
    ...llama.llama_context_default_params(),
    n_ctx: 256, n_batch: 32, n_ubatch: 32, n_seq_max: 2, n_outputs_max: 4, n_threads: 1, n_threads_batch: 1, ...more,
  });
  const batch = (tokens, outputs = 0, sequence = 0) => {
    const made = llama.llama_batch_init(tokens, 0, 1);
    const view = (pointer, bytes) => library.view(pointer, bytes);
    new Int32Array(view(made.token, 4 * tokens)).fill(5);
    new Int32Array(view(made.pos, 4 * tokens)).set(Array.from({ length: tokens }, (_, at) => at));
    new Int32Array(view(made.n_seq_id, 4 * tokens)).fill(1);
    for (const list of new BigUint64Array(view(made.seq_id, 8 * tokens))) new Int32Array(view(list, 4))[0] = sequence;
    new Int8Array(view(made.logits, tokens)).fill(0).fill(1, tokens - outputs);
    return { ...made, n_tokens: tokens };
  };
  const candidates = (size) => {
    const data = new Uint8Array(12 * Math.max(size, 1));
    for (let at = 0; at < size; at++) new Int32Array(data.buffer)[3 * at] = at;
    globalThis.kept = data;
    return library.write('llama_token_data_array', { data: library.address(data), size, selected: -1, sorted: false });
  };
  const letters = (model, count) => {
    const text = Buffer.from('a'.repeat(count));
    return llama.llama_tokenize(llama.llama_model_get_vocab(model), text, count, new Int32Array(count), count, false, false);
  };`;

/** How a process of its own ends that runs this code after the prelude. */
function run(code: string): { readonly alive: boolean; readonly said: string } {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `${prelude}\n${code}\nprocess.stdout.write('alive');`],
    { encoding: 'utf8', env: { ...process.env, GGML_NO_BACKTRACE: '1' } },
  );
  return { alive: status === 0 && signal === null && stdout.endsWith('alive'), said: stderr };
}

describe('what the library ends the process for', () => {
  const deadly: [string, string, string][] = [
    [
      'a batch of more tokens than the context takes',
      'llama.llama_decode(context(), batch(33));',
      'n_tokens_all <= cparams.n_batch',
    ],
    [
      'more outputs than the context has room for',
      'llama.llama_decode(context(), batch(8, 5));',
      'n_outputs_max <= cparams.n_outputs_max',
    ],
    [
      'tokens that see each other in more than one pass',
      'const made = context({ n_ubatch: 16 }); llama.llama_set_causal_attn(made, false); llama.llama_decode(made, batch(17));',
      'non-causal attention requires n_ubatch >= n_tokens',
    ],
    [
      'a part of a sequence copied where each has memory of its own',
      'const made = context(); llama.llama_decode(made, batch(8)); llama.llama_memory_seq_cp(llama.llama_get_memory(made), 0, 1, 0, 4);',
      'seq_cp() is only supported for full KV buffers',
    ],
    [
      'a sequence that the context does not have',
      'llama.llama_memory_seq_rm(llama.llama_get_memory(context()), 2, 0, -1);',
      'seq_id == -1 || (seq_id >= 0 && (size_t) seq_id < seq_to_stream.size())',
    ],
    [
      'a number that is no token',
      'llama.llama_vocab_get_text(llama.llama_model_get_vocab(demo()), 99_999_999);',
      'vector',
    ],
    [
      'a token that the grammar forbids',
      `const vocabulary = llama.llama_model_get_vocab(demo());
       const grammar = llama.llama_sampler_init_grammar(vocabulary, 'root ::= "yes"', 'root');
       llama.llama_sampler_accept(grammar, llama.llama_vocab_eos(vocabulary));`,
      '',
    ],
    [
      'a grammar of 100,000 nested brackets',
      `llama.llama_sampler_init_grammar(llama.llama_model_get_vocab(demo()),
         'root ::= ' + '('.repeat(100_000) + '"a"' + ')'.repeat(100_000), 'root');`,
      '',
    ],
    [
      '200,000 rules that begin with each other',
      `const rules = Array.from({ length: 200_000 }, (_, at) => 'r' + at + ' ::= r' + (at + 1) + '\\n');
       llama.llama_sampler_init_grammar(llama.llama_model_get_vocab(demo()),
         'root ::= r0\\n' + rules.join('') + 'r200000 ::= "a"', 'root');`,
      '',
    ],
    [
      'drawing where there is no output',
      `const made = context(); llama.llama_decode(made, batch(8, 1));
       llama.llama_sampler_sample(llama.llama_sampler_init_greedy(), made, 3);`,
      'logits != nullptr',
    ],
    [
      'a chain that chooses nothing',
      `const made = context(); llama.llama_decode(made, batch(8, 1));
       llama.llama_sampler_sample(llama.llama_sampler_init_top_k(4), made, 7);`,
      'cur_p.selected >= 0',
    ],
    [
      'no candidate at all',
      'llama.llama_sampler_apply(llama.llama_sampler_init_mirostat_v2(1, 5, 0.1), candidates(0));',
      'cur_p->size > 0',
    ],
    [
      'a sampler set for a sequence a second time',
      `const made = context();
       const chain = llama.llama_sampler_chain_init({ no_perf: true });
       llama.llama_sampler_chain_add(chain, llama.llama_sampler_init_greedy());
       llama.llama_set_sampler(made, 0, chain); llama.llama_set_sampler(made, 1, chain);`,
      'called twice',
    ],
    [
      '200,000 letters without a space in one call, with a vocabulary whose words `std::regex` finds',
      `letters(load('${join(vocabularies, 'ggml-vocab-deepseek-llm.gguf')}', { vocab_only: true }), 200_000);`,
      '',
    ],
  ];

  it.each(deadly)('%s', (_, code, reason) => {
    const { alive, said } = run(code);
    expect(alive).toBe(false);
    expect(said).toContain(reason);
  });

  it('nothing else of what these runs do', () => {
    const { alive, said } = run(`
      const made = context();
      if (llama.llama_decode(made, batch(8, 2)) !== 0) throw new Error('decode');
      llama.llama_memory_seq_cp(llama.llama_get_memory(made), 0, 1, -1, -1);
      llama.llama_sampler_apply(llama.llama_sampler_init_mirostat_v2(1, 5, 0.1), candidates(3));`);
    expect({ alive, said }).toEqual({ alive: true, said: '' });
  });

  it('no number that is given to a sampler, however odd', () => {
    const { alive, said } = run(`
      let seed = 7;
      const random = (most) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % most;
      const one = (list) => list[random(list.length)];
      const odd = () => one([0, -0, 1, -1, 0.5, 1e-30, 3e38, -3e38, Infinity, -Infinity, NaN, 2]);
      const whole = () => one([0, 1, -1, 40, 1000, 2147483647, -2147483648]);
      const keep = () => one([0, 1, 5, 100_000]);
      const vocabulary = 2000;
      const cuts = [
        () => llama.llama_sampler_init_penalties(vocabulary, one([0, -1, 64, 100_000]), odd(), odd(), odd()),
        () => llama.llama_sampler_init_top_k(whole()), () => llama.llama_sampler_init_top_p(odd(), keep()),
        () => llama.llama_sampler_init_min_p(odd(), keep()), () => llama.llama_sampler_init_typical(odd(), keep()),
        () => llama.llama_sampler_init_temp_ext(odd(), odd(), odd()), () => llama.llama_sampler_init_top_n_sigma(odd()),
        () => llama.llama_sampler_init_xtc(odd(), odd(), keep(), 7),
      ];
      const ends = [
        () => llama.llama_sampler_init_dist(3), () => llama.llama_sampler_init_adaptive_p(odd(), odd(), 3),
        () => llama.llama_sampler_init_mirostat(vocabulary, 3, odd(), odd(), 100),
        () => llama.llama_sampler_init_mirostat_v2(3, odd(), odd()),
      ];
      for (let round = 0; round < 300; round++) {
        const chain = [one(cuts)(), one(cuts)(), one(cuts)(), one(ends)()];
        for (let draw = 0; draw < 2; draw++) {
          const list = candidates(vocabulary);
          const logits = new Float32Array(kept.buffer);
          for (let at = 0; at < vocabulary; at++) logits[3 * at + 1] = one([random(40) - 20, -Infinity, 3e38]);
          for (const sampler of chain) llama.llama_sampler_apply(sampler, list);
          const { size, selected } = library.read('llama_token_data_array', library.address(list));
          if (selected < 0 || selected >= size) throw new Error('nothing was chosen');
          for (const sampler of chain) llama.llama_sampler_accept(sampler, new Int32Array(kept.buffer)[3 * selected]);
        }
        for (const sampler of chain) llama.llama_sampler_free(sampler);
      }`);
    expect({ alive, said }).toEqual({ alive: true, said: '' });
  });

  // Nineteen vocabularies: 5 s, or a minute on a busy machine.
  it('no text in pieces of 4,096 characters, with any vocabulary there is', { timeout: 300_000 }, () => {
    const names = readdirSync(vocabularies).filter((name) => name.startsWith('ggml-vocab-') && name.endsWith('.gguf'));
    expect(names.length).toBeGreaterThan(15);
    const { alive, said } = run(`
      const { Model } = await import('${module('model.js')}');
      for (const name of ${JSON.stringify(names)}) {
        const model = Model.load(library, '${vocabularies}/' + name, { gpuLayers: 0, vocabularyOnly: true });
        for (const letter of ['a', '7', ' ', '漢', '!', '\\u{1f600}', '\\u0301', '\\n']) {
          const pieces = letter === 'a' ? ${piecesOfLetters} : 1;
          for (let piece = 0; piece < pieces; piece++) model.vocabulary.tokenize(letter.repeat(4096 / letter.length), true);
        }
        model.free();
      }`);
    expect({ alive, said }).toEqual({ alive: true, said: '' });
  });
});
