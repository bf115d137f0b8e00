/** What one person may use; absent members take the server's settings. */
export interface KeyLimits {
  /** Requests at once. */
  readonly streams?: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly tokensPerDay?: number;
}

/** A key that opens the API. */
export interface ApiKey {
  readonly key: string;
  /** The person; several keys may have one name. Undefined: the key is its own person, named by its hash. */
  readonly name: string | undefined;
  readonly admin: boolean;
  readonly limits: KeyLimits;
}

/** Who asks. What outlives a request, or can be named by another one, belongs to its caller's `owner`. */
export interface Caller {
  /** The person, by the name of its key. `''` on a server without keys, where everybody is one person. */
  readonly owner: string;
  /** False: the server has keys, and the request carries none of them. Such callers come as far as open routes. */
  readonly known: boolean;
  /** May change the server: load models, look into `/internal`. */
  readonly manages: boolean;
  /** Holds the admin token or a key marked `admin`: sees what belongs to others. Implies `manages`. */
  readonly admin: boolean;
  /** The request comes from this machine itself. */
  readonly local: boolean;
  /**
   * Whether a thing of this owner is there for the caller; `''` owns what was kept before there were keys. What is not
   * gets the answer of what does not exist.
   */
  sees(owner: string): boolean;
}
