import { join } from 'node:path';
import type { ModelName } from './bench-model.ts';
import { modelShapes } from './bench-model.ts';

export function modelPath(folder: string, name: ModelName): string {
  return join(folder, `bench-${name}.gguf`);
}

export function isModelName(name: string): name is ModelName {
  return Object.hasOwn(modelShapes, name);
}
