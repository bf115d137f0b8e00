import { fileURLToPath } from 'node:url';
import type { Timers } from '../contract/services.ts';
import { TemplatePool } from '../templates/template-pool.ts';
import { templateProcess } from '../templates/template-process.ts';
import { templateChild } from './entries.ts';

/** Chat templates run in processes of their own; none is started before it is wanted. */
export function createTemplatePool(timers: Timers): TemplatePool {
  return new TemplatePool({ start: templateProcess(fileURLToPath(templateChild)), timers });
}
