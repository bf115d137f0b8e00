import { z } from 'zod';
import type { JsonObject } from '../../contract/json.ts';
import type { CallDecision, ToolServerReport } from '../../contract/server-tools.ts';
import { defined } from '../shared/defined.ts';
import { optional, validate } from '../shared/validate.ts';

/** GET /api/mcp: the servers of tools, what they do and what they have. */
export function mcpServers(reports: readonly ToolServerReport[]): JsonObject {
  return { servers: reports.map(mcpServer) };
}

export function mcpServer({ name, transport, state, problem, tools }: ToolServerReport): JsonObject {
  return {
    name,
    transport,
    state,
    error: problem ?? null,
    tools: tools.map((tool) => ({
      name: tool.name,
      description: tool.description ?? null,
      input_schema: tool.parameters,
      read_only: tool.readOnly,
    })),
  };
}

export const decision = z.object({
  approve: z.boolean(),
  always: optional(z.boolean()),
  /** The id of the call's answer: a call of another one is not meant. */
  answer: optional(z.string()),
});

/** POST /api/mcp/calls/{id}. */
export function parseDecision(wire: unknown): CallDecision {
  return defined(validate(decision, wire));
}
