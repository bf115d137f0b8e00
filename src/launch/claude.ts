import type { Agent } from './agent.ts';

/** Claude Code, by its variables (code.claude.com/docs/en/env-vars). Tried with 2.1.197. */
export const claude: Agent = {
  program: 'claude',
  install: 'npm install -g @anthropic-ai/claude-code',
  contextNeeded: 32_768,
  plan: ({ url, key, model, contextLength, folder }) => ({
    args: [],
    set: {
      CLAUDE_CONFIG_DIR: folder,
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_AUTH_TOKEN: key,
      ANTHROPIC_MODEL: model,
      // What it asks of its larger and smaller models, and of those that work for it.
      ANTHROPIC_DEFAULT_OPUS_MODEL: model,
      ANTHROPIC_DEFAULT_SONNET_MODEL: model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
      CLAUDE_CODE_SUBAGENT_MODEL: model,
      CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(contextLength),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
    unset: ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN', 'CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX'],
    // Else it begins with its colours and an account.
    files: [{ path: '.claude.json', text: '{"hasCompletedOnboarding": true}\n', keep: true }],
  }),
};
