import type { Agent } from './agent.ts';
import { claude } from './claude.ts';
import { cline } from './cline.ts';
import { codex } from './codex.ts';
import { copilot } from './copilot.ts';
import { opencode } from './opencode.ts';
import { qwen } from './qwen.ts';

/** The agents that can be started, by the name one types. A new one is a file beside these and a word here. */
export const agents = { claude, codex, opencode, copilot, qwen, cline } as const satisfies Record<string, Agent>;

export type AgentName = keyof typeof agents;

export function isAgentName(word: string): word is AgentName {
  return Object.hasOwn(agents, word);
}
