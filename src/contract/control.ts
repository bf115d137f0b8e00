import type { ModelProfile } from './model.ts';
import type { ModelSettings } from './model-settings.ts';

export interface LoadRequest {
  /** A path, a model of the models folder, or a name on the hub. */
  readonly target: string;
  /** Which file of a hub repository. */
  readonly quantization?: string;
  readonly hubToken?: string;
  readonly settings: ModelSettings;
  /** May name any path; others only what lies in the models folder or is loaded already. */
  readonly anyPath: boolean;
}

/** What the chat template and the family of a model can do. */
export interface ModelFeatures {
  readonly supportsTools: boolean;
  readonly supportsReasoning: boolean;
  readonly reasoningStyle: string | undefined;
  readonly reasoningAlwaysOn: boolean;
  readonly supportsPreserveThinking: boolean;
  /** Adapters were loaded with it. */
  readonly hasAdapters?: boolean;
}

/** A model that is loaded. */
export interface LoadedModelStatus {
  readonly profile: ModelProfile;
  readonly features: ModelFeatures;
  readonly settings: ModelSettings;
  /** For people. */
  readonly device: string;
  /** Bytes, estimated. */
  readonly memoryBytes: number;
  /** Tokens per slot that this machine could take, at most the trained context. */
  readonly maxContextSize: number;
}

export type LoadPhase = 'download' | 'mmap' | 'load' | 'calibrate' | 'ready';

export interface LoadProgress {
  readonly model: string;
  readonly phase: LoadPhase;
  readonly bytesLoaded: number;
  readonly bytesTotal: number;
  /** 0 to 1, over the phase. */
  readonly fraction: number;
  /** Until the phase is over, as far as known. */
  readonly etaSeconds: number | undefined;
}

type ModelState = 'loading' | 'ready' | 'draining' | 'unloaded' | 'failed';

export interface SlotReport {
  readonly id: number;
  readonly state: 'idle' | 'prefill' | 'decode';
  /** Tokens that it holds; undefined: those of somebody else. */
  readonly tokens: number | undefined;
  /** Whose tokens they are; undefined: nobody's. */
  readonly owner?: string;
  /** The session key of the request that has the slot just now. */
  readonly sessionId?: string;
}

/**
 * What happens to models, in order: a model is `ready` only after its progress said 1, and there is no `slots` event of
 * a model that is not loaded.
 */
export type ControlEvent =
  | ({ readonly type: 'progress' } & LoadProgress)
  | { readonly type: 'model'; readonly model: string; readonly state: ModelState; readonly error?: string }
  | { readonly type: 'slots'; readonly model: string; readonly slots: readonly SlotReport[] };

/** A model that could be loaded: from the models folder, or from where the server was told that it is. */
export interface LocalModelInfo {
  readonly id: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly quantization: string | undefined;
  readonly architecture: string | undefined;
  readonly trainedContextSize: number | undefined;
  readonly loaded: boolean;
  /** Where it comes from: the models folder, a flag (or a file of names), a load by path, or this package. */
  readonly source: 'folder' | 'given' | 'bundled';
}

export interface Verdict {
  readonly valid: boolean;
  /** One sentence. */
  readonly message: string;
  readonly identifier: string;
  readonly sizeBytes: number | undefined;
  readonly requiredBytes: number | undefined;
  readonly availableBytes: number;
  readonly fits: boolean;
  /** It sees images; absent where that is not known. */
  readonly isVision?: boolean;
  /** It hears; absent where that is not known. */
  readonly hasAudioInput?: boolean;
}

export interface ControlStatus {
  /** The model that unknown names go to. */
  readonly active: string | undefined;
  readonly loading: readonly string[];
  readonly models: readonly LoadedModelStatus[];
}

/** Models come and go: what the control routes may ask. Errors are ServeErrors. */
export interface ModelControl {
  /**
   * `already`: it was loaded with these settings. Changed settings load it anew after its answers are out. A load that
   * nobody waits for any more is given up.
   */
  load(
    request: LoadRequest,
    signal: AbortSignal,
  ): Promise<{ readonly already: boolean; readonly model: LoadedModelStatus }>;
  /** Cancels a load under way; a loaded model goes when its answers are out. Gives its id. */
  unload(target: string): Promise<string>;
  validate(request: LoadRequest, signal: AbortSignal): Promise<Verdict>;
  status(): ControlStatus;
  /** Of the load under way, or of the last one that ended, until its model goes; undefined when there is none. */
  progress(): LoadProgress | undefined;
  /** From now on. Ends with the signal. */
  events(signal: AbortSignal): AsyncIterable<ControlEvent>;
  localModels(): Promise<readonly LocalModelInfo[]>;
  /** Deletes from the models folder. A loaded model must be unloaded first. */
  remove(id: string): Promise<void>;
}
