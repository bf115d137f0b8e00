import type { MainMemory } from '../models/machine-memory.ts';
import type { GpuMemory } from '../models/placement.ts';
import type { EstimatedModel } from './estimate.ts';
import type { Measurement } from './measure.ts';
import type { NativeReport } from './native-report.ts';

/** Everything that the examination asks the machine, so that tests can answer for it. */
export interface Probes {
  readonly system: SystemFacts;
  /** What computes pictures, as the system knows it: with a driver or without. Empty where it cannot be asked. */
  cards(): readonly Card[];
  /** Looks for the library, opens it and measures, in a process of its own. */
  native(measure: Pick<Measurement, 'bytes'> & { readonly formats: readonly string[] }): Promise<NativeReport>;
  memory(): MainMemory;
  /** Programs that wanted a core during the last minute, on average; 0 where the system does not say. */
  load(): number;
  /** Of the file system that the folder lies in, or would lie in. */
  disk(folder: string): Promise<DiskAnswer>;
  port(): Promise<PortAnswer>;
  /** Undefined: it was not to be asked. */
  hub(): Promise<HubAnswer> | undefined;
  /** Milliseconds since 1970 by this machine's clock. */
  now(): number;
  /** What a model would be loaded with, and where. */
  fit(model: EstimatedModel, gpus: readonly GpuMemory[]): FitAnswer;
}

export interface SystemFacts {
  readonly version: string;
  readonly node: string;
  /** Of package.json: >=20.19 */
  readonly wantedNode: string;
  readonly platform: string;
  readonly arch: string;
  readonly release: string;
  readonly cpu: string;
  readonly cores: number;
}

export interface Card {
  /** `NVIDIA 10de:2684` */
  readonly name: string;
  /** Of the kernel; undefined: none. */
  readonly driver: string | undefined;
  /** llama.cpp has a backend that could compute on cards of this maker. */
  readonly couldCompute: boolean;
}

export interface DiskAnswer {
  /** The folder itself, or the nearest one above it that is there. */
  readonly folder: string;
  readonly freeBytes: number;
  /** Why nothing can be written there; undefined: it can. */
  readonly problem: string | undefined;
}

export interface PortAnswer {
  readonly host: string;
  readonly port: number;
  /** undefined: it is free. `own`: a server of this user. */
  readonly taken: 'own' | 'other' | 'forbidden' | undefined;
}

export type HubAnswer =
  | { readonly reached: true; readonly url: string; readonly ms: number; readonly date: number | undefined }
  | { readonly reached: false; readonly url: string; readonly why: string };

export type FitAnswer =
  | {
      readonly contextSize: number;
      readonly slots: number;
      /** Undefined: all on the processor. */
      readonly where:
        | { readonly gpuLayers: number; readonly layers: number; readonly expertLayers: number }
        | undefined;
    }
  | { readonly tooLarge: string };
