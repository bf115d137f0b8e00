import { member } from '../api/failure.ts';
import { type CallState, isCallState } from './message.ts';

/** A step of a call that the server runs itself: the member `server_tool` of a chunk. */
export interface ServerToolStep {
  readonly id: string;
  readonly server: string;
  readonly name: string;
  readonly state: CallState;
  /** Whole. */
  readonly arguments?: string;
  /** What was added to them. */
  readonly argumentsDelta?: string;
  readonly result?: string;
  readonly ms?: number;
}

export function serverToolStep(value: unknown): ServerToolStep | undefined {
  const step = member(value, 'server_tool');
  const [id, server, name, state] = ['id', 'server', 'name', 'state'].map((part) => text(step, part));
  if (id === undefined || server === undefined || name === undefined || !isCallState(state)) return undefined;
  const [whole, delta, result] = ['arguments', 'arguments_delta', 'result'].map((part) => text(step, part));
  const ms = member(step, 'ms');
  return {
    id,
    server,
    name,
    state,
    ...(whole !== undefined && { arguments: whole }),
    ...(delta !== undefined && { argumentsDelta: delta }),
    ...(result !== undefined && { result }),
    ...(typeof ms === 'number' && { ms }),
  };
}

function text(value: unknown, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === 'string' ? found : undefined;
}
