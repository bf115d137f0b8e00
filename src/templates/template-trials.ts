import { createHash } from 'node:crypto';
import type { TemplateFacts } from './protocol.ts';
import type { TemplatePool } from './template-pool.ts';
import { openTemplates } from './workshop.ts';

/** Throws ServeError where templates are of no use. Those that were found sound are not tried again. */
export function createTemplateTrials(
  pool: TemplatePool,
  sound: { has(fingerprint: string): boolean; add(fingerprint: string): void },
) {
  return async (facts: TemplateFacts, signal: AbortSignal): Promise<void> => {
    const fingerprint = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
    if (sound.has(fingerprint)) return;
    const tried = await openTemplates(pool, facts, signal);
    tried.close();
    sound.add(fingerprint);
  };
}
