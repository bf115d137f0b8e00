import type { ChatFormat, CompileTemplate } from '../contract/chat-format.ts';
import type { ModelProfile, VocabularyFacts } from '../contract/model.ts';
import { detectChatFormat, markersOf, withControlTokens } from '../output/detect-family.ts';
import { renderSampleTurns } from '../prompt/sample-turns.ts';
import type { ChatFormatReport } from './protocol.ts';

type Templates = Pick<ModelProfile, 'chatTemplate' | 'toolTemplate' | 'chatFormat'>;

interface Rendering {
  readonly vocabulary: Pick<VocabularyFacts, 'bosText' | 'eosText' | 'controlTexts'>;
  readonly now: () => Date;
  /** Another engine than the built-in one. */
  readonly compile?: CompileTemplate | undefined;
}

const noVocabulary = { bosText: '', eosText: '', controlTexts: [] };

/** By the markers of all the file's templates, and the turns that the one for tools renders. */
export function chatFormatOf(file: Templates, { vocabulary, now, compile }: Rendering): ChatFormat {
  const template = file.toolTemplate ?? file.chatTemplate;
  let turns: ReturnType<typeof renderSampleTurns>;
  const samples = () => {
    if (template !== undefined) turns ??= renderSampleTurns(template, vocabulary, now, compile);
    return turns;
  };
  const format = detectChatFormat(allTemplates(file), file.chatFormat, samples);
  return withControlTokens(format, vocabulary.controlTexts);
}

/** The family of a model on disk, found as for a load, by the file alone. */
export function explainChatFormat(file: Templates, now: () => Date): ChatFormatReport {
  // The texts that begin and end a sequence are in the vocabulary, which is not read; markers do not depend on them.
  const { name, reasoning, toolCalls } = chatFormatOf(file, { vocabulary: noVocabulary, now });
  return { name, why: reasonFor(file, name), thinks: reasoning !== undefined, callsTools: toolCalls !== undefined };
}

function allTemplates({ chatTemplate, toolTemplate }: Templates): string | undefined {
  return toolTemplate === undefined ? chatTemplate : `${chatTemplate ?? ''}\n${toolTemplate}`;
}

function reasonFor(file: Templates, name: string): string {
  if (file.chatFormat !== undefined) return 'given by --chat-format';
  if (allTemplates(file) === undefined) return 'there is no template to tell it';
  const markers = markersOf(name);
  if (markers === undefined) return 'found in turns that its template renders';
  return markers.length > 0
    ? `its template writes ${markers.join(', ')}`
    : 'its template has no marker of a known family';
}
