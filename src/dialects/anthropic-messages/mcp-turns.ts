import type { Message, ToolCall } from '../../contract/request.ts';
import { validate } from '../shared/validate.ts';
import {
  type McpToolResult,
  type McpToolUse,
  mcpToolResult,
  mcpToolUse,
  resultText,
  toServerCall,
} from './mcp-blocks.ts';
import type { ContentBlock } from './schema.ts';

/** A block and where the client wrote it, for errors. */
export interface PlacedBlock {
  readonly block: ContentBlock;
  readonly at: string;
}

/** What the model said in one go, its calls that the server ran, and their results. */
export interface SpokenTurn {
  readonly said: readonly PlacedBlock[];
  readonly serverCalls: ReadonlyMap<ContentBlock, ToolCall>;
  /** In the order of the calls. */
  readonly results: readonly Message[];
}

interface Part {
  readonly said: PlacedBlock[];
  readonly uses: Map<ContentBlock, McpToolUse>;
  readonly results: Map<string, McpToolResult>;
}

/** One assistant message holds all turns of an answer: after the results of one the next begins. */
export function splitTurns(blocks: readonly PlacedBlock[]): readonly SpokenTurn[] {
  const parts: Part[] = [];
  let part: Part | undefined;
  for (const placed of blocks) {
    const { block, at } = placed;
    const name = block.type === 'unknown' ? block.name : undefined;
    // A listing holds nothing that the server does not know.
    if (name === 'mcp_tool_listing') continue;
    if (part === undefined || (part.results.size > 0 && name !== 'mcp_tool_result')) {
      part = { said: [], uses: new Map(), results: new Map() };
      parts.push(part);
    }
    const raw = block.type === 'unknown' ? block.raw : undefined;
    if (name === 'mcp_tool_result') {
      const result = validate(mcpToolResult, raw, [at]);
      part.results.set(result.tool_use_id, result);
      continue;
    }
    if (name === 'mcp_tool_use') part.uses.set(block, validate(mcpToolUse, raw, [at]));
    part.said.push(placed);
  }
  return parts.map(toTurn);
}

function toTurn({ said, uses, results }: Part): SpokenTurn {
  const calls = [...uses].map(([block, use]) => ({ block, use, result: results.get(use.id) }));
  return {
    said,
    serverCalls: new Map(calls.map(({ block, use, result }) => [block, toServerCall(use, result)])),
    results: calls.map(({ use, result }) => ({ role: 'tool', content: resultText(result), toolCallId: use.id })),
  };
}
