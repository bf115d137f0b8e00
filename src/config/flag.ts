import type { CommandName } from './commands.ts';
import type { ValueKind } from './value-kinds.ts';

/**
 * Every flag, one row each. The key is the member of Config; the flag is the key in kebab case (`ctxSize` ->
 * `--ctx-size`) and its twin in the environment the same in capitals (`SERVE_MODEL_CTX_SIZE`). Durations are seconds.
 */
export interface Flag<Value, Default = Value> {
  readonly group: FlagGroup;
  readonly kind: ValueKind<Value>;
  readonly default: Default;
  /** Says what the default means where the value alone does not. */
  readonly defaultText?: string;
  readonly help: string;
  /** Other spellings of the flag, without dashes. One letter is written with one dash. */
  readonly alsoFlags?: readonly string[];
  /** The commands that take it, where most mean nothing by it; the others refuse it. */
  readonly onlyFor?: readonly CommandName[];
  /** Other names in the environment, looked up after its own. */
  readonly alsoEnvironment?: readonly string[];
}

export const flagGroups = [
  'Model',
  'Chat',
  'Tools',
  'Engine',
  'Server',
  'Limits',
  'Keys and access',
  'Logs and metrics',
  'Model files',
  'Clients on a terminal',
] as const;
export type FlagGroup = (typeof flagGroups)[number];

export function flag<Value, const Default extends Value | undefined>(
  group: FlagGroup,
  kind: ValueKind<Value>,
  row: Omit<Flag<Value, Default>, 'group' | 'kind'>,
): Flag<Value, Default> {
  return { group, kind, ...row };
}
