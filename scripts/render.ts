import { readFileSync } from 'node:fs';
import type { VocabularyFacts } from '../src/contract/model.ts';
import type { GenerationRequest } from '../src/contract/request.ts';
import { openaiChat } from '../src/dialects/openai-chat/index.ts';
import { templateCompiler } from '../src/engine/jinja.ts';
import { vocabularyFacts } from '../src/engine/remote/model-description.ts';
import { createTokenText } from '../src/engine/token-text.ts';
import { readModelProfile } from '../src/models/profile.ts';
import { findLibrary } from '../src/native/find-library.ts';
import { Model } from '../src/native/model.ts';
import { openLibrary } from '../src/native/open-library.ts';
import { detectChatFormat } from '../src/output/detect-family.ts';
import { defaultChatTemplate } from '../src/prompt/default-template.ts';
import { createPromptRenderer } from '../src/prompt/renderer.ts';
import { renderSampleTurns } from '../src/prompt/sample-turns.ts';

/**
 * `npm run render -- MODEL_OR_TEMPLATE request.json`: the prompt of a chat completions request. With a model (.gguf) the
 * borders of its tokens are shown, with a template (.jinja) those between text that is tokenized apart.
 */
const [source, requestFile] = process.argv.slice(2);
if (!source || !requestFile) {
  console.error('Usage: npm run render -- MODEL_OR_TEMPLATE request.json');
  process.exit(1);
}

interface Rendered {
  readonly pieces: readonly string[];
  readonly summary: string;
}

const border = '│';
const library = findLibrary(false);
const compile = templateCompiler(library);
const isModel = source.endsWith('.gguf');
console.log(
  isModel ? await renderWithModel(source) : withBorders(renderWith(readFileSync(source, 'utf8'), noVocabulary())),
);

function chatPrompt(file: string) {
  const body: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const request: GenerationRequest | undefined = openaiChat.parse(body).generations[0];
  if (request?.prompt.type !== 'chat') throw new Error(`${file} is no chat completions request.`);
  return request.prompt;
}

function renderWith(template: string, vocabulary: VocabularyFacts, toolTemplate?: string): Rendered {
  const now = () => new Date();
  const format = detectChatFormat(template, undefined, () => renderSampleTurns(template, vocabulary, now, compile));
  const renderer = createPromptRenderer({ template, toolTemplate, vocabulary, format, now, compile });
  const { pieces, opening } = renderer.render(chatPrompt(requestFile ?? ''));
  return { pieces, summary: `format ${format.name}, the answer begins in: ${opening.block}` };
}

async function renderWithModel(path: string): Promise<string> {
  const profile = await readModelProfile(path);
  const model = Model.load(openLibrary(library), path, { gpuLayers: 0, vocabularyOnly: true });
  const rendered = renderWith(
    profile.chatTemplate ?? defaultChatTemplate,
    vocabularyFacts(model.vocabulary),
    profile.toolTemplate,
  );
  const text = createTokenText({ vocabulary: model.vocabulary, yieldToEventLoop: () => Promise.resolve() });
  const tokens = await text.tokenize(rendered.pieces, { special: true });
  const shown = tokens.map((token) => Buffer.from(text.bytes(token)).toString('utf8'));
  model.free();
  return withBorders({ pieces: shown, summary: `${rendered.summary}, ${tokens.length} tokens` });
}

function withBorders({ pieces, summary }: Rendered): string {
  return `${pieces.join(border)}\n\n[${summary}]`;
}

function noVocabulary(): VocabularyFacts {
  return { size: 0, bosText: '', eosText: '', addsBos: false, addsEos: false, controlTexts: [], infill: undefined };
}
