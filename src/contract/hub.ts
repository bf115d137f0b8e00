/** A repository of models on the hub. */
export interface HubRepository {
  readonly owner: string;
  readonly repo: string;
  readonly downloads: number | undefined;
  readonly likes: number | undefined;
  /** As the hub writes it, ISO 8601. */
  readonly updated: string | undefined;
  /** Its terms have to be accepted on the hub first. */
  readonly isGated: boolean;
}

/** One model file of a repository, all its parts. */
export interface HubQuantization {
  /** `Q4_K_M`; undefined where the file's name tells none. */
  readonly quantization: string | undefined;
  /** What a load names it by. */
  readonly target: string;
  readonly files: number;
  readonly sizeBytes: number;
  /** Estimated: weights, computing, and the context that the server would load it with. */
  readonly requiredBytes: number;
  readonly fits: 'gpu' | 'ram' | 'no';
  /** The largest that fits well: what a load without a quantization takes. */
  readonly isBest: boolean;
  /** It lies in the models folder already. */
  readonly isLocal: boolean;
}

export interface HubModels {
  /** Smallest first. */
  readonly quantizations: readonly HubQuantization[];
  /** Bytes that a model may take on this machine; vram 0 without a GPU of its own memory. */
  readonly memory: { readonly ram: number; readonly vram: number };
}

export interface HubAsker {
  readonly signal: AbortSignal;
  /** May see what the server's own access token opens. */
  readonly withToken: boolean;
}

/**
 * What there is on the hub that the server is configured for, and on no other. Throws ServeError: model_not_found,
 * invalid_request (not allowed, no models), overloaded (the hub does not answer).
 */
export interface HubCatalog {
  /** Repositories of GGUF models, the most downloaded ones first. */
  search(words: string, limit: number, asker: HubAsker): Promise<readonly HubRepository[]>;
  models(owner: string, repo: string, asker: HubAsker): Promise<HubModels>;
}
