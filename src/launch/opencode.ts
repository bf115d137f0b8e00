import type { Agent } from './agent.ts';

/** OpenCode, by a config in a variable, the last word over its files (opencode.ai/docs/config). Tried with 1.18.33. */
export const opencode: Agent = {
  program: 'opencode',
  install: 'npm install -g opencode-ai',
  contextNeeded: 16_384,
  plan: ({ url, key, model, contextLength, folder }) => {
    const config = {
      model: `serve-model/${model}`,
      small_model: `serve-model/${model}`,
      enabled_providers: ['serve-model'],
      autoupdate: false,
      share: 'disabled',
      provider: {
        'serve-model': {
          npm: '@ai-sdk/openai-compatible',
          name: 'serve-model',
          options: { baseURL: `${url}/v1`, apiKey: '{env:SERVE_MODEL_API_KEY}' },
          models: {
            [model]: { name: model, limit: { context: contextLength, output: Math.floor(contextLength / 4) } },
          },
        },
      },
    };
    return {
      args: [],
      set: {
        OPENCODE_CONFIG_DIR: folder,
        OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
        SERVE_MODEL_API_KEY: key,
      },
      unset: [],
      files: [],
    };
  },
};
