import { z } from 'zod';

const cacheTypes = ['f32', 'f16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0'] as const;

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

/** A model with a name of its own and how to load it. */
type NamedModel = z.output<typeof namedModel>;
export type NamedModels = Readonly<Record<string, NamedModel>>;

/**
 * `{"coder": {"model": "hf:owner/repo:Q4_K_M", "ctxSize": 32768}}`. Throws an Error whose message continues the sentence
 * `--models-file FILE ...`.
 */
export function parseNamedModels(text: string): NamedModels {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error('is no JSON. Write {"name": {"model": "path or hf:owner/repo"}}');
  }
  const parsed = namedModels.safeParse(content);
  if (parsed.success) return Object.freeze(parsed.data);
  const issue = parsed.error.issues[0];
  throw new Error(`is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'it cannot be read'}`);
}
