/** Which answer's thought: that of one answer, with all its choices, or of what is on a slot. */
export type ThoughtAddress = { readonly answerId: string } | { readonly slot: number };

/** What came of it. `not-asked`: the request did not say that its thought may be ended. */
export type ThoughtEnding = 'ended' | 'not-thinking' | 'not-asked' | 'no-run';
