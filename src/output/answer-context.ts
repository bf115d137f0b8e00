import type { ChatFormat, PromptOpening } from '../contract/chat-format.ts';
import type { ToolChoice } from '../contract/request.ts';
import type { BlockWriter } from './block-writer.ts';
import type { MarkerScanner } from './marker-scanner.ts';
import type { CallTools } from './tool-calls/call-reader.ts';

/** What the answer is in just now. */
export type OutputState = 'reasoning' | 'text' | 'tool-call';

/** What the layouts work with. */
export interface AnswerContext {
  readonly format: ChatFormat;
  readonly opening: PromptOpening;
  readonly scanner: MarkerScanner;
  readonly writer: BlockWriter;
  /** undefined: calls are not possible, their markup is text. */
  readonly calls: CallTools | undefined;
  readonly toolChoice: ToolChoice;
  readonly reasoningFormat: 'auto' | 'none';
  readonly exactText: boolean;
  enter(state: OutputState): void;
}
