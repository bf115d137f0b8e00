import { z } from 'zod';

/** A run in GET /api/runs. */
export const runDescription = z.object({
  /** Of the answer; the same as in its frames, where these tell it, and in the header `x-serve-model-run`. */
  id: z.string(),
  object: z.literal('run'),
  /** In whose words its frames are. */
  api: z.string(),
  /** Where it was asked for. */
  path: z.string(),
  format: z.enum(['sse', 'ndjson']),
  model: z.string(),
  session_id: z.string().nullable(),
  cancel_id: z.string().nullable(),
  /** Unix seconds. */
  created: z.int(),
  /** `queued`: it has no slot yet. The last three: it is over, and can still be read. */
  status: z.enum(['queued', 'in_progress', 'completed', 'cancelled', 'failed']),
  /** The number of the oldest event that can still be read; the first of all is 0. */
  first_event: z.int(),
  /** The number of the newest one; -1: there is none yet. */
  last_event: z.int(),
});
export type RunDescription = z.output<typeof runDescription>;
