import { z } from 'zod';
import { ServeError } from '../contract/errors.ts';
import type { ToolStep } from './answers.ts';
import type { Connection } from './connection.ts';

const toolServers = z.object({ servers: z.array(z.object({ name: z.string() })) });
const decided = z.object({ approved: z.boolean() });

/** Whether the server runs tools itself, and for this caller. */
export async function hasServerTools(connection: Connection, signal: AbortSignal): Promise<boolean> {
  try {
    return (await connection.call('/api/mcp', toolServers, { signal })).servers.length > 0;
  } catch (error) {
    if (error instanceof ServeError && (error.code === 'not_found' || error.code === 'forbidden')) return false;
    throw error;
  }
}

/** The word of the person on a call whose state is `asks`. */
export type CallVerdict = 'once' | 'always' | 'no';

/** False: the call waits no more. It was decided elsewhere, or too late. */
export async function decideCall(
  connection: Connection,
  { id, answer }: Pick<ToolStep, 'id' | 'answer'>,
  verdict: CallVerdict,
): Promise<boolean> {
  const body = {
    approve: verdict !== 'no',
    ...(verdict === 'always' && { always: true }),
    // Models may give their calls the same ids in every answer.
    ...(answer !== undefined && { answer }),
  };
  try {
    await connection.call(`/api/mcp/calls/${encodeURIComponent(id)}`, decided, { body });
    return true;
  } catch (error) {
    if (error instanceof ServeError && error.code === 'not_found') return false;
    throw error;
  }
}
