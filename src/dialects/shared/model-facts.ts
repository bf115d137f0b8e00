import type { ModelProfile } from '../../contract/model.ts';

/** Read off the file alone, so also of a model that is not loaded. A file that names its pooling is made for vectors. */
export function isForVectors({ generates, metadata, architecture }: ModelProfile): boolean {
  return !generates || metadata[`${architecture}.pooling_type`] !== undefined;
}

/** Its template has to write what it is able to. */
export function callsTools({ chatTemplate = '', toolTemplate }: ModelProfile): boolean {
  return toolTemplate !== undefined || /\btools\b/.test(chatTemplate);
}

export function thinks({ chatTemplate = '' }: ModelProfile): boolean {
  return /<think>|enable_thinking|reasoning_content|thinking/.test(chatTemplate);
}

/** 3,049,920 -> `3.0M`, 7.6e9 -> `7.6B`. */
export function parameterText(parameters: number): string {
  if (parameters >= 1e9) return `${(parameters / 1e9).toFixed(1)}B`;
  return parameters >= 1e6 ? `${(parameters / 1e6).toFixed(1)}M` : `${(parameters / 1e3).toFixed(1)}K`;
}

/** The last part of a name with owner and folders, for people. */
export function displayName(name: string): string {
  return (
    name
      .split(/[/\\]/)
      .at(-1)
      ?.replace(/\.gguf$/i, '') || name
  );
}
