import type { ToolHost } from '../contract/server-tools.ts';
import type { Clock, Timers } from '../contract/services.ts';
import type { ConstraintCache } from '../grammar/constraint-cache.ts';
import type { ApprovalRegistry } from './approvals.ts';
import type { CancelRegistry } from './cancellation.ts';
import type { ModelRuntime, UseModel } from './runtime.ts';
import type { StartGate } from './start-gate.ts';

/** What the conductor is built from. */
export interface GenerationDependencies {
  readonly useModel: UseModel<ModelRuntime>;
  readonly cancels: CancelRegistry;
  readonly startGate?: StartGate;
  readonly constraints: ConstraintCache;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly drawSeed: () => number;
  readonly newToolCallId: () => string;
  readonly observer?: GenerationObserver;
  /** Absent: this server runs no tools, and requests that want some get none. */
  readonly tools?: ToolBench | undefined;
  readonly settings: GenerationSettings;
}

/** Told what is worth counting or logging. Called synchronously; must not throw. */
export interface GenerationObserver {
  /** A request that was ended before its time: by a cancel call, because its client left, because the server stops. */
  cancelled(phase: 'queued' | 'prefill' | 'decode'): void;
  /** The wall-clock cap ended a run. */
  timeLimit(): void;
  /** Time between two tokens of one answer. Of every token: must be quick. */
  tokenGap?(model: string, ms: number): void;
  /** The text of a prompt, control tokens spelled, and of its answer. Only asked for where texts are logged. */
  texts?(record: AnswerTexts): void;
  /** Places of malformed calls that were mended, in one answer. */
  repaired(places: number): void;
  /** An answer, or a call's arguments, does not fit a schema that had to be loosened. */
  misfit(sentence: string): void;
  /** A call of a tool of the server's is over. Milliseconds, and bytes of its result. */
  toolCalled?(call: ToolCallRecord): void;
}

interface AnswerTexts {
  readonly model: string;
  readonly answerId: string | undefined;
  readonly prompt: string;
  readonly answer: string;
}

export interface ToolCallRecord {
  readonly owner: string;
  readonly server: string;
  readonly tool: string;
  readonly ms: number;
  readonly bytes: number;
  readonly result: 'ok' | 'error' | 'denied' | 'cancelled';
}

export interface GenerationSettings {
  /** Wall-clock cap per request, counted from its first step. */
  readonly maxPredictMs: number;
  readonly autoHealToolCalls: boolean;
  readonly checkToolNames: boolean;
  /** Tools that say nothing themselves are held to their schemas. */
  readonly strictTools: boolean;
}

/** The server's own tools, where it has some. */
export interface ToolBench {
  readonly host: ToolHost;
  readonly approvals: ApprovalRegistry;
}
