import { isJsonObject } from '../../contract/json.ts';
import type { ContentBlock, MessagesBody } from './schema.ts';

/**
 * The tools that the conversation has loaded, in their order: each that a `tool_reference` names (what Claude Code's own
 * search answers with) or that was called before, where the reference was left out since; and the one that has to be
 * called. They stand after the others, so that the prompt begins as it did before they were loaded.
 */
export function loadedTools({ messages, tool_choice }: MessagesBody): readonly string[] {
  const named = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content.flatMap(namesIn)));
  return [...new Set([...named, ...(tool_choice?.type === 'tool' ? [tool_choice.name] : [])])];
}

function namesIn(block: ContentBlock): readonly string[] {
  switch (block.type) {
    case 'tool_reference':
      return [block.tool_name];
    case 'tool_use':
      return [block.name];
    case 'unknown':
      return block.name === 'mcp_tool_use' && isJsonObject(block.raw) && typeof block.raw.name === 'string'
        ? [block.raw.name]
        : [];
    case 'tool_result':
      return typeof block.content === 'string' ? [] : (block.content ?? []).flatMap(namesIn);
    default:
      return [];
  }
}
