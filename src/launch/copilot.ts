import type { Agent } from './agent.ts';

/** GitHub's Copilot CLI with a provider of one's own (`copilot help providers`). Tried with 1.0.102. */
export const copilot: Agent = {
  program: 'copilot',
  install: 'npm install -g @github/copilot',
  contextNeeded: 24_576,
  plan: ({ url, key, model, contextLength, folder }) => {
    const output = Math.floor(contextLength / 4);
    return {
      args: [],
      set: {
        COPILOT_HOME: folder,
        // No account, no telemetry: nothing leaves for elsewhere.
        COPILOT_OFFLINE: 'true',
        COPILOT_PROVIDER_TYPE: 'openai',
        COPILOT_PROVIDER_BASE_URL: `${url}/v1`,
        COPILOT_PROVIDER_API_KEY: key,
        COPILOT_MODEL: model,
        COPILOT_PROVIDER_MAX_PROMPT_TOKENS: String(contextLength - output),
        COPILOT_PROVIDER_MAX_OUTPUT_TOKENS: String(output),
      },
      unset: [
        'COPILOT_PROVIDER_API_KEY_COMMAND',
        'COPILOT_PROVIDER_BEARER_TOKEN',
        'COPILOT_PROVIDER_MODEL_ID',
        'COPILOT_PROVIDER_WIRE_MODEL',
        'COPILOT_PROVIDER_WIRE_API',
        'COPILOT_PROVIDER_TRANSPORT',
        'COPILOT_PROVIDER_HEADERS',
      ],
      files: [],
    };
  },
};
