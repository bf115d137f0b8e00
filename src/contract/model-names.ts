import type { ModelProfile } from './model.ts';

/** What a model may be called. */
export type ModelNames = Pick<ModelProfile, 'id' | 'aliases' | 'path'>;

/**
 * The one that a name means, for every API alike: an id, an alias or a path, as it stands before any other reading; then
 * without what clients add: `:latest`, which Ollama's put after names that have no tag, and `.gguf`. Of several, the
 * first.
 */
export function findByName<Named>(
  name: string,
  models: readonly Named[],
  namesOf: (model: Named) => ModelNames,
): Named | undefined {
  const readings = readingsOf(name);
  const answers = [
    (reading: string, { id }: ModelNames) => id === reading,
    (reading: string, { aliases }: ModelNames) => aliases.includes(reading),
    (reading: string, { path }: ModelNames) => path === reading,
  ];
  for (const reading of readings) {
    for (const isNamed of answers) {
      const found = models.find((model) => isNamed(reading, namesOf(model)));
      if (found) return found;
    }
  }
  return undefined;
}

function readingsOf(name: string): string[] {
  const untagged = name.replace(/:latest$/i, '');
  return [...new Set([name, untagged, untagged.replace(/\.gguf$/i, '')])];
}
