import type { Sharer } from '../contract/shared-room.ts';
import type { Engine } from '../engine/engine.ts';
import type { SlotView } from './choose.ts';
import { type PrefixFiles, withinBudget } from './prefix-files.ts';
import { isPrefix, type PrefixStore, type StoredPrefix } from './prefix-store.ts';
import type { Scoped } from './scope.ts';

interface WriteOptions {
  readonly files: PrefixFiles;
  readonly engine: Engine;
  /** Free slots whose tokens may be kept, which somebody may use. */
  readonly slots: readonly (SlotView & Sharer)[];
  readonly store: PrefixStore | undefined;
}

/** Shorter ones are evaluated again in no time. */
const minimumWritten = 64;

interface Candidate extends Scoped, Sharer {
  readonly scope: string;
  readonly slot?: number;
  readonly stored?: StoredPrefix;
}

/** Slots and snapshots to disk, as many as the budget holds: of each owner the most recently used before the others. */
export async function writePrefixes({ files, engine, slots, store }: WriteOptions): Promise<void> {
  const held = slots.toSorted((one, other) => other.usedAt - one.usedAt);
  const candidates: Candidate[] = [
    ...held.map(({ id, tokens, owner, scope }) => ({ tokens: tokens.slice(), owner, scope, slot: id })),
    ...(store?.list() ?? []).toReversed().map((stored) => {
      const { tokens, owner, scope } = stored;
      return { tokens, owner, scope, stored };
    }),
  ];
  const bytesOf = ({ tokens }: Candidate) => engine.snapshots?.estimateBytes(tokens.length) ?? 0;
  const chosen = withinBudget(worthWriting(candidates).toReversed(), bytesOf, files.budget).toReversed();
  // What lies in slots goes first: bringing a snapshot in overwrites a slot.
  for (const { slot, tokens, ...sharer } of chosen) if (slot !== undefined) await files.write(slot, tokens, sharer);
  const workbench = held[0]?.id;
  for (const { stored, tokens, ...sharer } of chosen)
    if (stored && workbench !== undefined && (await store?.load(workbench, stored)))
      await files.write(workbench, tokens, sharer);
  await files.prune();
}

/** Without what is too short, or the beginning of one before it. */
function worthWriting(candidates: readonly Candidate[]): Candidate[] {
  const chosen: Candidate[] = [];
  for (const candidate of candidates) {
    const { tokens, scope } = candidate;
    const isChosen = chosen.some((other) => other.scope === scope && isPrefix(tokens, other.tokens));
    if (tokens.length >= minimumWritten && !isChosen) chosen.push(candidate);
  }
  return chosen;
}
