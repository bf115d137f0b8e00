import { join } from 'node:path';
import type { Agent } from './agent.ts';

/** Cline's CLI, by its file of providers, where alone it looks for a key (docs.cline.bot/cline-cli). Tried with 3.0.65. */
export const cline: Agent = {
  program: 'cline',
  install: 'npm install -g cline',
  contextNeeded: 16_384,
  plan: ({ url, key, model, contextLength, folder, now }) => {
    const provider = 'openai-compatible';
    const settings = { provider, apiKey: key, model, baseUrl: `${url}/v1`, contextWindow: contextLength };
    const providers = {
      version: 1,
      lastUsedProvider: provider,
      modes: {},
      providers: { [provider]: { settings, updatedAt: now, tokenSource: 'manual' } },
    };
    return {
      args: [],
      set: { CLINE_DIR: folder },
      unset: ['CLINE_DATA_DIR'],
      files: [
        {
          path: join('data', 'settings', 'providers.json'),
          text: `${JSON.stringify(providers, undefined, 2)}\n`,
          keep: false,
        },
      ],
    };
  },
};
