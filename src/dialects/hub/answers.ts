import { z } from 'zod';
import type { HubModels, HubRepository } from '../../contract/hub.ts';

/** GET /api/hub/search. */
export const hubSearchAnswer = z.object({
  models: z.array(
    z.object({
      /** `owner/repo`. */
      id: z.string(),
      downloads: z.number().nullable(),
      likes: z.number().nullable(),
      /** ISO 8601. */
      updated: z.string().nullable(),
      /** Its terms have to be accepted on the hub, by the account of the server's token. */
      gated: z.boolean(),
    }),
  ),
});
export type HubSearchAnswer = z.output<typeof hubSearchAnswer>;

/** GET /api/hub/repos/{owner}/{repo}. */
export const hubRepositoryAnswer = z.object({
  id: z.string(),
  /** What a model may take on this machine. */
  memory: z.object({ ram_bytes: z.number(), vram_bytes: z.number() }),
  /** Smallest first. */
  quantizations: z.array(
    z.object({
      /** Null where the file's name tells none. */
      quantization: z.string().nullable(),
      /** For `POST /api/inference/load`. */
      model_path: z.string(),
      files: z.int(),
      size_bytes: z.number(),
      required_bytes: z.number(),
      fits: z.enum(['gpu', 'ram', 'no']),
      /** What a load that names no quantization takes. */
      best: z.boolean(),
      downloaded: z.boolean(),
    }),
  ),
});
export type HubRepositoryAnswer = z.output<typeof hubRepositoryAnswer>;

export function writeSearch(repositories: readonly HubRepository[]): HubSearchAnswer {
  return {
    models: repositories.map(({ owner, repo, downloads, likes, updated, isGated }) => ({
      id: `${owner}/${repo}`,
      downloads: downloads ?? null,
      likes: likes ?? null,
      updated: updated ?? null,
      gated: isGated,
    })),
  };
}

export function writeRepository(id: string, { quantizations, memory }: HubModels): HubRepositoryAnswer {
  return {
    id,
    memory: { ram_bytes: memory.ram, vram_bytes: memory.vram },
    quantizations: quantizations.map(({ quantization, target, files, sizeBytes, requiredBytes, ...is }) => ({
      quantization: quantization ?? null,
      model_path: target,
      files,
      size_bytes: sizeBytes,
      required_bytes: requiredBytes,
      fits: is.fits,
      best: is.isBest,
      downloaded: is.isLocal,
    })),
  };
}
