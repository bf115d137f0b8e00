import { type ChatFormat, closingText, type PromptOpening } from '../contract/chat-format.ts';
import type { BlockEvent } from '../contract/events.ts';
import type { Tool, ToolChoice } from '../contract/request.ts';
import type { AnswerContext, OutputState } from './answer-context.ts';
import { BlockWriter } from './block-writer.ts';
import { MarkerScanner, type Reading, type TextEnd } from './marker-scanner.ts';
import { readMessageAnswer } from './message-answer.ts';
import { readPartAnswer } from './part-answer.ts';
import { readPlainAnswer } from './plain-answer.ts';
import type { CallTools } from './tool-calls/call-reader.ts';
import { toolNames } from './tool-names.ts';

export interface OutputMachineOptions {
  readonly format: ChatFormat;
  readonly opening: PromptOpening;
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice;
  readonly newToolCallId: () => string;
  /** `none` leaves thoughts and their markers in the text. */
  readonly reasoningFormat: 'auto' | 'none';
  /** Mend malformed calls where it is certain what was meant. */
  readonly autoHeal: boolean;
  /** A call to a tool that was not offered is text. */
  readonly checkToolNames: boolean;
  /**
   * The answer's text has a form that may begin or end with whitespace: only what the template writes after a thought is
   * taken off. Default: whitespace between blocks belongs to none.
   */
  readonly exactText?: boolean;
}

/**
 * The model's text -> blocks. Five laws: lossless (a complete text's end() releases everything that was held),
 * chunk-invariant, prompt (holds back no more than the longest marker and the whitespace before it), steady (what a cut
 * text shows is a beginning of what any longer one shows, and a call is one from the end of its name on), and never throws
 * on text of a model. Whitespace that only separates blocks belongs to none; an empty answer gives no block.
 */
export interface OutputMachine {
  push(text: string): BlockEvent[];
  /**
   * Nothing more comes: closes the open block. What was held is released where the text is `complete`; where it was `cut`
   * (a token limit, a cancel) it may have been the beginning of markup, and is shown only if it cannot have been.
   */
  end(end: Exclude<TextEnd, 'open'>): BlockEvent[];
  readonly state: OutputState;
  /** Characters at the end of what was pushed that are not read yet: they may become markup. */
  readonly unread: number;
  /** Mended places in tool calls so far. */
  readonly repairs: number;
  /** The text to inject now so that the thinking ends; the machine must be given it like any other text. */
  closeReasoning(): string;
}

export function createOutputMachine(options: OutputMachineOptions): OutputMachine {
  const { format, opening, tools, toolChoice } = options;
  const callsPossible = tools.length > 0 && toolChoice.type !== 'none';
  // Where no call can come, a single character is text: an answer of one token must not vanish.
  const scanner = new MarkerScanner(callsPossible ? 1 : 2);
  const writer = new BlockWriter();
  let repairs = 0;
  let state: OutputState = opening.block;
  const calls: CallTools = {
    scanner,
    writer,
    heal: options.autoHeal,
    newId: options.newToolCallId,
    ...toolNames(tools, toolChoice, options.checkToolNames),
    repaired: (count = 1) => {
      repairs += count;
    },
  };
  const reading = layouts({
    format,
    opening,
    scanner,
    writer,
    calls: callsPossible ? calls : undefined,
    toolChoice,
    reasoningFormat: options.reasoningFormat,
    exactText: options.exactText === true,
    enter: (entered) => {
      state = entered;
    },
  });

  return {
    push(text) {
      scanner.push(text);
      reading.next();
      return writer.take();
    },
    end(end) {
      scanner.end(end);
      reading.next();
      writer.close();
      return writer.take();
    },
    get state() {
      return state;
    },
    get unread() {
      return scanner.unread;
    },
    get repairs() {
      return repairs;
    },
    closeReasoning: () => (format.reasoning ? closingText(format.reasoning) : ''),
  };
}

function layouts(context: AnswerContext): Reading<void> {
  const { layout } = context.format;
  switch (layout.type) {
    case 'plain':
      return readPlainAnswer(context);
    case 'messages':
      return readMessageAnswer(context, layout);
    case 'parts':
      return readPartAnswer(context, layout);
    default:
      return layout satisfies never;
  }
}
