/** What an agent is to be told. */
export interface AgentFacts {
  /** Of the server, without a slash at its end. */
  readonly url: string;
  /** `none` where the server wants none: most agents want one to be there. */
  readonly key: string;
  readonly model: string;
  /** Tokens of one slot. */
  readonly contextLength: number;
  /** The agent's own for this server, which nothing else uses. */
  readonly folder: string;
  /** ISO 8601. */
  readonly now: string;
}

/** How to start it. No file outside the folder is changed. */
export interface AgentPlan {
  /** In front of those that the person gives. */
  readonly args: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  /** Variables that would lead it elsewhere. */
  readonly unset: readonly string[];
  readonly files: readonly AgentFile[];
}

export interface AgentFile {
  /** In the agent's folder. */
  readonly path: string;
  readonly text: string;
  /** The agent writes there too: it is made where it is missing, and left alone then. */
  readonly keep: boolean;
}

export interface Agent {
  readonly program: string;
  /** For who does not have it. */
  readonly install: string;
  /**
   * Tokens, an estimate: the characters of its first request by four, and about 8,000 for a few files and answers.
   */
  readonly contextNeeded: number;
  readonly plan: (facts: AgentFacts) => AgentPlan;
}
