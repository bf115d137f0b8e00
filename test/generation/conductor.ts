import type { ModelProfile } from '../../src/contract/model.ts';
import type { FakeEngine } from '../../src/engine/fake.ts';
import { createCancelRegistry } from '../../src/generation/cancellation.ts';
import type { GenerationDependencies } from '../../src/generation/dependencies.ts';
import { createGenerationService } from '../../src/generation/generate.ts';
import { ConstraintCache } from '../../src/grammar/constraint-cache.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { defaultChatTemplate } from '../../src/prompt/default-template.ts';
import { createPromptRenderer } from '../../src/prompt/renderer.ts';
import { createScheduler } from '../../src/scheduler/scheduler.ts';
import { profile } from '../http/support.ts';

/** The whole way from a request to a fake engine; time stands still. */
export function conductorOver(
  engine: FakeEngine,
  changes: Partial<ModelProfile> = {},
  { family, ...more }: Partial<GenerationDependencies> & { readonly family?: string } = {},
) {
  const clock = () => 0;
  const timers = { after: () => () => undefined };
  const format = detectChatFormat(undefined, family);
  const { vocabulary } = profile;
  const runtime = {
    profile: { ...profile, ...changes },
    engine,
    format,
    renderer: createPromptRenderer({ template: defaultChatTemplate, vocabulary, format, now: () => new Date(0) }),
    scheduler: createScheduler({
      engine,
      clock,
      timers,
      settings: { maxQueue: 100, queueTimeoutMs: 1000, prefixCacheBytes: 0 },
    }),
  };
  const cancels = createCancelRegistry({ clock });
  const service = createGenerationService({
    useModel: () => Promise.resolve({ runtime, release: () => undefined }),
    cancels,
    constraints: new ConstraintCache({ clock }),
    clock,
    timers,
    drawSeed: () => 1,
    newToolCallId: () => 'call_1',
    settings: { maxPredictMs: 1000, autoHealToolCalls: true, checkToolNames: true, strictTools: true },
    ...more,
  });
  return { cancels, service, runtime, scheduler: runtime.scheduler };
}
