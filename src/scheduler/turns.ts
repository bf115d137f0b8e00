/** What the owners have of the slots. Who has no key is one owner with all others. */
export interface Shares {
  /** Slots that each one holds now; absent: none. */
  readonly held: ReadonlyMap<string, number>;
  /** When each one got a slot last, a number that counts up; absent: never. */
  readonly served: ReadonlyMap<string, number>;
}

interface Line {
  readonly owner: string;
  /** Of its first in line; the least goes first. */
  readonly rank: number;
}

/**
 * Whose turn it is: slots are shared between owners, not between requests, so the one that holds the fewest is next; of
 * equals, who got one longest ago. However many requests an owner has waiting, another's first one gets the next slot.
 */
export function nextOwner(lines: readonly Line[], { held, served }: Shares): string | undefined {
  const turn = ({ owner, rank }: Line) => [held.get(owner) ?? 0, served.get(owner) ?? -1, rank];
  return lines.toSorted((one, other) => compare(turn(one), turn(other)))[0]?.owner;
}

/** The shares after an owner got one more slot. */
export function afterTurn(owner: string, { held, served }: Shares): Shares {
  const last = Math.max(-1, ...served.values());
  return {
    held: new Map([...held, [owner, (held.get(owner) ?? 0) + 1]]),
    served: new Map([...served, [owner, last + 1]]),
  };
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at === -1 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}
