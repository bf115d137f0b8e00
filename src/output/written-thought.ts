import { closingText, type ReasoningMarkers, type ToolCallFormat } from '../contract/chat-format.ts';
import { type SampleTurns, sampleWords } from '../contract/sample-turns.ts';

interface Markup {
  readonly reasoning: ReasoningMarkers;
  readonly toolCalls: ToolCallFormat | undefined;
  readonly text?: { readonly open: string } | undefined;
}

/**
 * The markers of a thought as the template writes them, with its own whitespace: from a turn with a thought, else from a
 * prompt that opens or skips one. What is nowhere shown stays as it is.
 */
export function writtenThought(markup: Markup, samples: SampleTurns): ReasoningMarkers {
  const { reasoning } = markup;
  const open = openInTurn(reasoning, samples) ?? openInPrompt(reasoning, samples) ?? reasoning.open;
  const opened = { ...reasoning, open };
  const close =
    closeBeforeAnswer(samples.thought, markup) ??
    closeBeforeCall(samples.thoughtfulCall, markup) ??
    closeInPrompt(opened, samples);
  return { ...opened, forcedClose: close ?? closingText(opened) };
}

/** After the generation prompt; from the marker on where that opens the thought or reads otherwise. */
function openInTurn(
  { open }: ReasoningMarkers,
  { thought, thoughtfulCall, generationPrompt }: SampleTurns,
): string | undefined {
  const before = (thought ?? thoughtfulCall)?.split(sampleWords.thought)[0] ?? '';
  const marker = open.trim();
  const at = marker === '' ? -1 : before.lastIndexOf(marker);
  if (at < 0) return undefined;
  const space = /\s*$/.exec(before.slice(0, at))?.[0] ?? '';
  const [behind = ''] = before.slice(0, at).split(generationPrompt).slice(-1);
  return before.slice(generationPrompt !== '' && behind === space ? at - space.length : at);
}

function openInPrompt({ open }: ReasoningMarkers, samples: SampleTurns): string | undefined {
  const { generationPrompt, generationPromptWithoutThought: skipping } = samples;
  const marker = open.trim();
  if (marker === '') return undefined;
  if (generationPrompt.trimEnd().endsWith(marker)) return generationPrompt.slice(generationPrompt.lastIndexOf(marker));
  const at = skipping.lastIndexOf(marker);
  if (at < 0) return undefined;
  return skipping.startsWith(open, at) ? open : marker;
}

function closeBeforeAnswer(turn: string | undefined, { reasoning, text }: Markup): string | undefined {
  const behind = turn?.split(sampleWords.thought)[1]?.split(sampleWords.answer)[0];
  if (!behind?.trimStart().startsWith(reasoning.close.trim())) return undefined;
  const wrapper = text?.open ?? '';
  return wrapper !== '' && behind.endsWith(wrapper) ? behind.slice(0, -wrapper.length) : behind;
}

function closeBeforeCall(turn: string | undefined, { reasoning, toolCalls }: Markup): string | undefined {
  const behind = turn?.split(sampleWords.thought)[1];
  const isClosed = behind?.trimStart().startsWith(reasoning.close.trim());
  if (!behind || !isClosed || !toolCalls || toolCalls.syntax === 'addressed') return undefined;
  const [call = ''] = (toolCalls.section?.open || toolCalls.open).trim().split('\n');
  const end = call === '' ? -1 : behind.indexOf(call);
  return end < 0 ? undefined : behind.slice(0, end);
}

/** A prompt that skips the thought writes an empty one. */
function closeInPrompt({ open, close }: ReasoningMarkers, samples: SampleTurns): string | undefined {
  const { generationPromptWithoutThought: skipping } = samples;
  const at = skipping.lastIndexOf(open);
  const behind =
    at < 0 ? skipping.slice(Math.max(0, skipping.lastIndexOf(close.trim()))) : skipping.slice(at + open.length);
  return behind.trimStart().startsWith(close.trim()) ? behind : undefined;
}
