import type { NativeFunctions } from './functions.ts';

/** What the product calls: looked for when the libraries are opened, not in the middle of a request. */
export const neededFunctions: readonly (keyof NativeFunctions)[] = [
  'ggml_backend_load_all_from_path',
  'ggml_backend_reg_by_name',
  'ggml_backend_reg_count',
  'ggml_backend_reg_get_proc_address',
  'ggml_free',
  'ggml_init',
  'ggml_is_empty',
  'ggml_new_tensor_4d',
  'ggml_set_name',
  'ggml_threadpool_params_default',
  'llama_batch_free',
  'llama_batch_init',
  'llama_context_default_params',
  'llama_log_set',
  'llama_model_default_params',
  'llama_model_quantize_default_params',
  'llama_sampler_apply',
  'llama_sampler_chain_default_params',
  'llama_sampler_free',
  'llama_sampler_init_dist',
  'llama_sampler_init_greedy',
  'llama_sampler_init_logit_bias',
  'llama_sampler_init_top_k',
  'llama_supports_mmap',
];
