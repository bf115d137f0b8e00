import { z } from 'zod';
import type { Connection } from './connection.ts';

const listedModel = z.object({
  id: z.string(),
  state: z.string().optional(),
  /** Tokens per slot. */
  context_length: z.number().optional(),
  capabilities: z.array(z.string()).optional(),
});
const modelList = z.object({ data: z.array(listedModel) });

/** A model that a request may name, loaded or not. */
export interface ServedModel {
  readonly id: string;
  /** `loaded`, or how far it is from that; empty where the server does not tell. */
  readonly state: string;
  /** Tokens of one slot; undefined where the server does not tell. */
  readonly contextLength: number | undefined;
  readonly sees: boolean;
}

export async function servedModels(connection: Connection, signal?: AbortSignal): Promise<ServedModel[]> {
  const { data } = await connection.call('/v1/models', modelList, signal ? { signal } : {});
  return data.map(describe);
}

/** As the server reads the name: with or without `.gguf` or `:latest`. Throws where it has no such model. */
export async function servedModel(connection: Connection, name: string, signal?: AbortSignal): Promise<ServedModel> {
  const path = `/v1/models/${name.split('/').map(encodeURIComponent).join('/')}`;
  return describe(await connection.call(path, listedModel, signal ? { signal } : {}));
}

function describe({ id, state = '', context_length, capabilities = [] }: z.output<typeof listedModel>): ServedModel {
  return { id, state, contextLength: context_length, sees: capabilities.includes('vision') };
}
