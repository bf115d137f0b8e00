/** The token after these: a letter that depends on every one of them. What the fake says when it has no script. */
export function letterAfter(tokens: readonly number[]): number {
  let hash = 17;
  for (const token of tokens) hash = (hash * 31 + token) % 1_000_003;
  return 97 + (hash % 26);
}
