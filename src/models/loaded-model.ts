import type { LoadPhase, ModelFeatures, SlotReport } from '../contract/control.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ModelSettings } from '../contract/model-settings.ts';
import type { FileProfile } from './profile.ts';

/** What is to be loaded, and how. */
export interface LoadPlan {
  readonly file: FileProfile;
  readonly settings: ModelSettings;
}

export interface LoadObserver {
  readonly signal: AbortSignal;
  progress(phase: LoadPhase, fraction: number): void;
  /** The engine broke later: the runtime serves no more. */
  failed(error: unknown): void;
}

/** A loaded model. `Runtime` is what generation works with; this room only hands it on. */
export interface LoadedModel<Runtime> {
  readonly runtime: Runtime;
  readonly profile: ModelProfile;
  readonly features: ModelFeatures;
  readonly device: string;
  /** Where its weights are, of those that generate; which share a device. */
  readonly memory?: {
    readonly process: number | 'self';
    /** Bytes that the GPUs have left; undefined without one. */
    freeDeviceBytes(): Promise<number | undefined>;
  };
  slots(): readonly SlotReport[];
  dispose(): Promise<void>;
}

export type ModelLoader<Runtime> = (plan: LoadPlan, observer: LoadObserver) => Promise<LoadedModel<Runtime>>;
