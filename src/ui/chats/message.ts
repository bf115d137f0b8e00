/** One piece of what somebody said, in the order in which it came. */
export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'thought';
      readonly text: string;
      /** How long it took, once it is over. */
      readonly ms?: number;
      readonly tokens?: number;
    }
  | {
      readonly kind: 'call';
      readonly id: string;
      readonly name: string;
      /** JSON, as far as it is written. */
      readonly arguments: string;
      readonly result?: { readonly text: string; readonly isError: boolean };
      /** The server of tools that has it, where the server runs the call itself. */
      readonly server?: string;
      readonly state?: CallState;
      /** How long it ran. */
      readonly ms?: number;
      /** The model had read the results before it when it wrote this call. */
      readonly behindResults?: boolean;
    };

/** Of a call that the server runs: being written, written, waiting for a person, running, and how it ended. */
const callStates = ['writing', 'called', 'asks', 'running', 'done', 'failed', 'denied'] as const;
export type CallState = (typeof callStates)[number];

export function isCallState(value: unknown): value is CallState {
  return callStates.some((state) => state === value);
}

/** A file that goes with what its sender wrote. Its content is text that the model reads. */
export interface AttachedText {
  readonly name: string;
  readonly text: string;
}

/** A picture that goes along. Its bytes are kept beside the chats, by their hash. */
export interface AttachedImage {
  readonly name: string;
  /** As `image/png`. */
  readonly type: string;
  readonly bytes: number;
  readonly sha256: string;
}

export type AttachedFile = AttachedText | AttachedImage;

export function isImage(file: AttachedFile): file is AttachedImage {
  return 'sha256' in file;
}

/**
 * How an answer ended: by itself, by a limit of its own (`length`) or of the context, by its reader (`stopped`), because
 * the page or the server went away (`interrupted`), or with an error.
 */
const outcomes = ['stop', 'calls', 'length', 'context', 'stopped', 'interrupted', 'error'] as const;
export type Outcome = (typeof outcomes)[number];

export function isOutcome(value: unknown): value is Outcome {
  return outcomes.some((outcome) => outcome === value);
}

/** As the server's `timings` and `usage` tell; see the guide to chat completions. Times in milliseconds, rates per second. */
export interface AnswerFigures {
  readonly queueMs: number;
  readonly promptMs: number;
  readonly promptPerSecond: number;
  readonly predictedMs: number;
  readonly predictedPerSecond: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly answerTokens: number;
  readonly thoughtTokens: number;
}

export interface Failure {
  readonly message: string;
  readonly code?: string;
  readonly status?: number;
  readonly requestId?: string;
}

interface MessageBase {
  readonly id: string;
  /** The message that this one follows; null for a first one. */
  readonly parent: string | null;
  /** Unix milliseconds. */
  readonly time: number;
  readonly blocks: readonly Block[];
  /** It is left out of prompts. */
  readonly muted?: boolean;
  /** It is never proposed to be left out. */
  readonly pinned?: boolean;
  /** What prompts have in place of its text, files, calls and their results; pictures stay. Never empty. */
  readonly short?: string;
}

export interface UserMessage extends MessageBase {
  readonly role: 'user';
  readonly files?: readonly AttachedFile[];
}

export interface AssistantMessage extends MessageBase {
  readonly role: 'assistant';
  readonly model?: string;
  /** Undefined while it is being written. */
  readonly outcome?: Outcome;
  readonly figures?: AnswerFigures;
  readonly failure?: Failure;
  /** The one that was used. */
  readonly seed?: number;
  /** A person changed it. */
  readonly edited?: boolean;
}

export type Message = UserMessage | AssistantMessage;

/** What it says, without thoughts and calls. */
export function textOf({ blocks }: Pick<Message, 'blocks'>): string {
  return blocks.map((block) => (block.kind === 'text' ? block.text : '')).join('');
}

/** Hashes of the files that are kept beside it. */
export function hashesOf(message: Message): readonly string[] {
  return message.role === 'user' ? (message.files ?? []).filter(isImage).map(({ sha256 }) => sha256) : [];
}

/** The same with another text, behind its thoughts and calls. */
export function withText<Kind extends Message>(message: Kind, text: string): Kind {
  const kept = message.blocks.filter(({ kind }) => kind !== 'text');
  return { ...message, blocks: [...kept, { kind: 'text', text }] };
}

export function thoughtOf({ blocks }: Pick<Message, 'blocks'>): string {
  return blocks.map((block) => (block.kind === 'thought' ? block.text : '')).join('');
}
