import {
  type ChatFormat,
  type MessageLayout,
  nextMessage,
  type ReasoningMarkers,
  type ToolCallFormat,
} from '../contract/chat-format.ts';

/** One family: how it is recognised by its template, and how it writes. */
export interface Family {
  readonly name: string;
  /** Where its markup was read: templates, or who else tells how the models were trained. Repositories with a revision. */
  readonly source: readonly string[];
  /** The template contains all of these. */
  readonly all: readonly string[];
  /** For templates that no other row fits: their turns may tell more. */
  readonly generic?: boolean;
  readonly layout?: ChatFormat['layout'];
  /** Dropped for templates that contain neither marker. */
  readonly reasoning?: ReasoningMarkers;
  readonly toolCalls?: ToolCallFormat;
  readonly text?: ChatFormat['text'];
  readonly hidden?: readonly string[];
  readonly stopStrings?: readonly string[];
  /** Control tokens that the machines need besides those that stand in the markers. */
  readonly visible?: readonly string[];
}

export const think: ReasoningMarkers = { open: '<think>\n', close: '</think>' };
export const bareThink: ReasoningMarkers = { open: '<think>', close: '</think>' };
export const mistralThink: ReasoningMarkers = { open: '[THINK]', close: '[/THINK]', opensAnywhere: true };
export const cohereThink: ReasoningMarkers = {
  open: '<|START_THINKING|>',
  close: '<|END_THINKING|>',
  opensAnywhere: true,
};

/** Chat templates of models, as llama.cpp keeps them for its tests; their names with blanks between. */
export function templates(names: string): string[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => `ggml-org/llama.cpp de3ff81 models/templates/${name}.jinja`);
}

/** A thought that a call may end. */
export function endedBy(call: ToolCallFormat): ReasoningMarkers {
  return { ...think, alsoEndedBy: openingTags(call) };
}

/** The tag that begins calls, and the one that begins each of them. */
export function openingTags(call: ToolCallFormat): string[] {
  if (call.syntax === 'addressed') return [];
  return [call.section?.open ?? '', call.open].flatMap((text) => /^<[^<>\s]+>/.exec(text) ?? []);
}

/** Thoughts that are messages of their own. */
export function messageThoughts(layout: MessageLayout): ReasoningMarkers {
  const { heads, ends } = layout;
  return { open: heads.thought, close: ends[0], forcedClose: nextMessage(layout) + heads.text };
}
