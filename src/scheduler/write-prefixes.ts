import type { Engine } from '../engine/engine.ts';
import type { SlotView } from './choose.ts';
import type { PrefixFiles } from './prefix-files.ts';
import { isPrefix, type PrefixStore, type StoredPrefix } from './prefix-store.ts';
import type { Scoped } from './scope.ts';

interface WriteOptions {
  readonly files: PrefixFiles;
  readonly engine: Engine;
  /** Free slots whose tokens may be kept, which somebody may use. */
  readonly slots: readonly (SlotView & { readonly scope: string })[];
  readonly store: PrefixStore | undefined;
}

/** Shorter ones are evaluated again in no time. */
const minimumWritten = 64;

interface Candidate extends Scoped {
  readonly scope: string;
  readonly slot?: number;
  readonly stored?: StoredPrefix;
}

/** Slots and snapshots to disk, as many as the budget holds, the most recently used before the others. */
export async function writePrefixes({ files, engine, slots, store }: WriteOptions): Promise<void> {
  const held = slots.toSorted((one, other) => other.usedAt - one.usedAt);
  const candidates: Candidate[] = [
    ...held.map(({ id, tokens, scope }) => ({ tokens: tokens.slice(), scope, slot: id })),
    ...(store?.list() ?? []).toReversed().map((stored) => ({ tokens: stored.tokens, scope: stored.scope, stored })),
  ];
  const chosen = withinBudget(candidates, (tokens) => engine.snapshots?.estimateBytes(tokens) ?? 0, files.budget);
  // What lies in slots goes first: bringing a snapshot in overwrites a slot.
  for (const { slot, tokens, scope } of chosen) if (slot !== undefined) await files.write(slot, tokens, scope);
  const workbench = held[0]?.id;
  for (const { stored, tokens, scope } of chosen)
    if (stored && workbench !== undefined && (await store?.load(workbench, stored)))
      await files.write(workbench, tokens, scope);
  await files.prune();
}

function withinBudget(
  candidates: readonly Candidate[],
  estimateBytes: (tokens: number) => number,
  budget: number,
): Candidate[] {
  const chosen: Candidate[] = [];
  let bytes = 0;
  for (const candidate of candidates) {
    const { tokens, scope } = candidate;
    const isChosen = chosen.some((other) => other.scope === scope && isPrefix(tokens, other.tokens));
    if (tokens.length < minimumWritten || isChosen) continue;
    bytes += estimateBytes(tokens.length);
    if (bytes > budget) break;
    chosen.push(candidate);
  }
  return chosen;
}
