import { z } from 'zod';
import { cacheTypes, type ModelSettings } from '../contract/model-settings.ts';

/** Members are flags without their dashes, as they are written in Config. */
const namedModel = z.strictObject({
  /** A path or a name on the hub. */
  model: z.string().min(1),
  ctxSize: z.int().min(0).optional(),
  parallel: z.int().min(1).max(256).optional(),
  gpuLayers: z.int().min(0).optional(),
  cacheTypeKv: z.enum(cacheTypes).optional(),
});

const namedModels = z.record(z.string().min(1), namedModel);

/** As users write them. */
export type NamedModels = Readonly<z.input<typeof namedModels>>;

/** A model with a name of its own and how to load it. */
export interface NamedModel {
  readonly model: string;
  readonly settings: ModelSettings;
}

/**
 * `{"coder": {"model": "hf:owner/repo:Q4_K_M", "ctxSize": 32768}}`. Throws an Error whose message continues the sentence
 * `--models-file FILE ...`.
 */
export function parseNamedModels(text: string): Readonly<Record<string, NamedModel>> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error('is no JSON. Write {"name": {"model": "path or hf:owner/repo"}}');
  }
  return readNamedModels(content);
}

/** The same of what is no text any more. */
export function readNamedModels(content: unknown): Readonly<Record<string, NamedModel>> {
  const parsed = namedModels.safeParse(content);
  if (parsed.success) {
    return Object.freeze(Object.fromEntries(Object.entries(parsed.data).map(([name, named]) => [name, settle(named)])));
  }
  const issue = parsed.error.issues[0];
  throw new Error(`is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'it cannot be read'}`);
}

function settle({ model, ctxSize, parallel, gpuLayers, cacheTypeKv }: z.output<typeof namedModel>): NamedModel {
  return {
    model,
    settings: {
      ...(ctxSize && { contextSize: ctxSize }),
      ...(parallel !== undefined && { slots: parallel }),
      ...(gpuLayers !== undefined && { gpuLayers }),
      ...(cacheTypeKv !== undefined && { cacheType: cacheTypeKv }),
    },
  };
}
