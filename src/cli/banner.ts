import { showBytes, showCount } from '../contract/amounts.ts';
import type { ModelProfile } from '../contract/model.ts';
import { printable } from '../contract/printable.ts';
import { bundledModelPath } from '../models/find-model.ts';

export interface BannerFacts {
  readonly version: string;
  readonly profile: ModelProfile;
  readonly device: string;
  /** That other programs on this machine can reach. */
  readonly url: string;
  /** Requests must carry one. */
  readonly needsKey: boolean;
  /** False: it gives embeddings and ranks only. */
  readonly generates: boolean;
  /** Nobody said how long the context is to be. */
  readonly contextLeftOpen: boolean;
}

/** What is served and how to try it: at most ten lines. */
export function bannerLines(facts: BannerFacts): string[] {
  const { version, profile, device, url, needsKey } = facts;
  const key = needsKey ? ` -H "authorization: Bearer $API_KEY"` : '';
  const { path, body } = exampleFor(facts);
  return [
    `serve-model ${version} serves ${[profile.id, ...profile.aliases].join(', ')} (${describeModel(profile)})`,
    `  device   ${device}`,
    `  context  ${contextText(facts)}`,
    `  address  ${url}`,
    ...(profile.path === bundledModelPath
      ? ['  This is the bundled demo model. For real work: serve-model MODEL.gguf']
      : []),
    'Try it:',
    `  curl ${url}${path}${key} -H "content-type: application/json" \\`,
    `    -d '${body}'`,
  ].map(printable);
}

/** The address in a banner; undefined while that is not there. */
export function bannerAddress(text: string): string | undefined {
  return /^ {2}address {2}(\S+)\n/m.exec(text)?.[1];
}

function contextText({ profile, generates, contextLeftOpen }: BannerFacts): string {
  const { contextSize, trainedContextSize, slots } = profile;
  if (!generates) return `inputs of up to ${contextSize} tokens`;
  const more = `, trained for ${trainedContextSize}: --ctx-size ${trainedContextSize}`;
  const shown = contextLeftOpen && contextSize < trainedContextSize ? more : '';
  return `${contextSize} tokens in each of ${slots} ${slots === 1 ? 'slot' : 'slots'}${shown}`;
}

/** llama.cpp's number for the pooling of models that were trained to rank. */
const rankPooling = 4;

function exampleFor({ profile: { metadata, architecture }, generates }: BannerFacts) {
  if (generates) {
    return { path: '/v1/chat/completions', body: '{"messages": [{"role": "user", "content": "Hello!"}]}' };
  }
  return metadata[`${architecture}.pooling_type`] === rankPooling
    ? { path: '/v1/rerank', body: '{"query": "cats", "documents": ["They purr.", "They bark."]}' }
    : { path: '/v1/embeddings', body: '{"input": "Hello!"}' };
}

function describeModel(profile: ModelProfile): string {
  const parameters = profile.parameters === undefined ? undefined : `${showCount(profile.parameters)} parameters`;
  const facts = [profile.architecture, parameters, profile.quantization, showBytes(profile.sizeBytes)];
  return facts.filter((fact) => fact !== undefined).join(', ');
}
