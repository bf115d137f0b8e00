import { z } from 'zod';

/** What is read of `GET /api/inference/status`. */
export const serverStatus = z.object({
  active_model: z.string().nullable(),
  loading: z.array(z.string()),
  models: z.array(
    z.object({
      model: z.string(),
      /** Tokens per slot. */
      context_length: z.number(),
      slots: z.number(),
      memory_bytes: z.number(),
      device: z.string(),
    }),
  ),
});

export const unloaded = z.object({ model: z.string() });
