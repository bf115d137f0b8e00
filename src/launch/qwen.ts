import { join } from 'node:path';
import type { Agent } from './agent.ts';

/** Qwen Code, by variables and a file of defaults (qwenlm.github.io/qwen-code-docs). Tried with 0.15.10. */
export const qwen: Agent = {
  program: 'qwen',
  install: 'npm install -g @qwen-code/qwen-code',
  contextNeeded: 32_768,
  plan: ({ url, key, model, contextLength, folder }) => {
    const defaults = {
      security: { auth: { selectedType: 'openai' } },
      model: { name: model, generationConfig: { contextWindowSize: contextLength } },
      general: { enableAutoUpdate: false },
      privacy: { usageStatisticsEnabled: false },
    };
    const path = 'serve-model-defaults.json';
    return {
      args: ['--auth-type', 'openai'],
      set: {
        QWEN_HOME: folder,
        QWEN_CODE_SYSTEM_DEFAULTS_PATH: join(folder, path),
        OPENAI_BASE_URL: `${url}/v1`,
        OPENAI_API_KEY: key,
        OPENAI_MODEL: model,
      },
      unset: ['QWEN_MODEL'],
      files: [{ path, text: `${JSON.stringify(defaults, undefined, 2)}\n`, keep: false }],
    };
  },
};
