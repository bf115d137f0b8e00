import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import { builtInServer, type ServerTool, type ToolCallLimits, type ToolOutcome } from '../../contract/server-tools.ts';
import { CallFailure } from '../call-failure.ts';

export interface BuiltInTool {
  readonly tool: ServerTool;
  /** Rejects with a CallFailure, in words for the model, or with the signal's reason. */
  run(args: JsonObject, limits: ToolCallLimits): Promise<ToolOutcome>;
}

export interface Description<Args extends z.ZodObject> {
  readonly name: string;
  readonly description: string;
  readonly args: Args;
  /** A text is what came of it. */
  run(args: z.output<Args>, limits: ToolCallLimits): Promise<string | ToolOutcome>;
}

/** All of them only read: none changes anything, here or elsewhere. */
export function builtInTool<Args extends z.ZodObject>({
  name,
  description,
  args: schema,
  run,
}: Description<Args>): BuiltInTool {
  return {
    tool: { server: builtInServer, name, description, parameters: parametersOf(schema), readOnly: true },
    async run(args, limits) {
      const read = schema.safeParse(args);
      if (!read.success) throw new CallFailure(`This call was not run: ${describe(read.error)}.`);
      const outcome = await run(read.data, limits);
      return typeof outcome === 'string' ? { content: outcome, isError: false } : outcome;
    },
  };
}

function parametersOf(schema: z.ZodObject): JsonObject {
  const made: unknown = z.toJSONSchema(schema, { io: 'input' });
  if (!isJsonObject(made)) throw new Error('a schema of arguments is an object');
  const { $schema: _, ...parameters } = made;
  return parameters;
}

function describe({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => (path.length > 0 ? `${JSON.stringify(path.join('.'))}: ${message}` : message))
    .join('; ');
}
