import { ServeError } from '../contract/errors.ts';
import type { Directive, EngineJob } from './engine.ts';

/** Throws when a run that is not steered is told what comes next: it may have been sampled already. */
export function checkDirective({ steered }: Pick<EngineJob, 'steered'>, { type }: Directive): void {
  if (steered || type === 'continue' || type === 'stop') return;
  throw new ServeError('internal', `The directive ${type} came to a run that is not steered.`);
}
