import type { Agent } from './agent.ts';

/** Codex, by settings on its command line, which win over its file (developers.openai.com/codex/config-advanced). Tried with 0.171.0. */
export const codex: Agent = {
  program: 'codex',
  install: 'npm install -g @openai/codex',
  contextNeeded: 24_576,
  plan: ({ url, key, model, contextLength, folder }) => {
    const provider = { name: 'serve-model', base_url: `${url}/v1`, wire_api: 'responses', env_key: keyVariable };
    const settings = {
      model: toml(model),
      model_provider: toml('serve-model'),
      'model_providers.serve-model': `{ ${Object.entries(provider)
        .map(([name, value]) => `${name} = ${toml(value)}`)
        .join(', ')} }`,
      model_context_window: String(contextLength),
    };
    return {
      args: Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      set: { CODEX_HOME: folder, [keyVariable]: key },
      unset: [],
      files: [],
    };
  },
};

/** Where it looks for the key. */
const keyVariable = 'SERVE_MODEL_API_KEY';

/** Basic strings of TOML escape as JSON does. */
function toml(text: string): string {
  return JSON.stringify(text);
}
