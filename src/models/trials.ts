import type { ScaledAdapter } from '../contract/model-settings.ts';
import type { Telemetry } from '../contract/services.ts';
import { checkAdapter } from './adapter-file.ts';
import { type CrashTestOptions, crashTest } from './crash-test.ts';
import { otherTokens, speaksSameTokens } from './draft-model.ts';
import { bundledModelPath, findModel } from './find-model.ts';
import { readGguf } from './gguf.ts';
import type { GivenModels } from './given-models.ts';
import type { LoadPlan } from './loaded-model.ts';
import type { ModelFiles } from './model-files.ts';
import type { FileProfile } from './profile.ts';

export interface TrialOptions {
  readonly crashTest: Pick<CrashTestOptions, 'entry' | 'passed'>;
  /** Throws when the templates of a file are of no use. */
  readonly tryTemplates: (file: FileProfile, signal: AbortSignal) => Promise<void>;
  /** Those of the flags. */
  readonly adapters: readonly ScaledAdapter[];
  /** The flags give a template to every model. */
  readonly givesTemplate: boolean;
  readonly log: Telemetry['log'];
}

/** What is loaded with a model. */
export interface Company {
  readonly draft: FileProfile | undefined;
  readonly adapters: readonly ScaledAdapter[];
}

/** Whether a model is of use, with what is to go with it, before anything makes room. What was found sound is not tried again. */
export class ModelTrials {
  readonly #options: TrialOptions;

  constructor(options: TrialOptions) {
    this.#options = options;
  }

  /** Throws when the library would not outlive this file. */
  async crashTest(path: string, signal: AbortSignal, adapters: readonly string[] = []): Promise<void> {
    if (path === bundledModelPath && adapters.length === 0) return;
    await crashTest(path, { ...this.#options.crashTest, signal, adapters });
  }

  async check({ file, settings }: LoadPlan, signal: AbortSignal, isFirst: boolean): Promise<void> {
    await this.crashTest(file.path, signal);
    if (!file.generates) return;
    await this.#adaptersFor(file, signal, isFirst);
    const ownTemplate = settings.chatTemplate === undefined && !this.#options.givesTemplate;
    if (file.path !== bundledModelPath || !ownTemplate) await this.#options.tryTemplates(file, signal);
  }

  /** What the flags and the load itself want with this model, read and tried. */
  async companyOf<Runtime>(
    plan: LoadPlan,
    { given, files }: { readonly given: GivenModels<Runtime>; readonly files: ModelFiles },
    signal: AbortSignal,
  ): Promise<Company> {
    const isFirst = given.isFirst(plan.file);
    const draft = await this.#draftFor(plan, { flags: given.draft?.path, files, isFirst }, signal);
    return { draft, adapters: await this.#adaptersFor(plan.file, signal, isFirst) };
  }

  /** Left out for models that they were not made for. */
  async #adaptersFor(file: FileProfile, signal: AbortSignal, isFirst: boolean): Promise<readonly ScaledAdapter[]> {
    const { adapters, log } = this.#options;
    if (adapters.length === 0) return [];
    const paths = adapters.map(({ path }) => path);
    const { parts } = await findModel(file.path);
    const headers = await Promise.all(parts.map((part) => readGguf(part)));
    try {
      for (const path of paths) await checkAdapter(path, headers);
    } catch (error) {
      if (isFirst) throw error;
      log('warn', `${file.id} is loaded without adapters`, { error });
      return [];
    }
    await this.crashTest(file.path, signal, paths);
    return adapters;
  }

  /** Tried like any other file. That of the flags is left out for models of another vocabulary. */
  async #draftFor(
    { file, settings: { speculation } }: LoadPlan,
    {
      flags,
      files,
      isFirst,
    }: { readonly flags: string | undefined; readonly files: ModelFiles; readonly isFirst: boolean },
    signal: AbortSignal,
  ): Promise<FileProfile | undefined> {
    const own = typeof speculation === 'object' ? speculation.draftModel : undefined;
    const path = speculation === undefined ? flags : own;
    if (path === undefined) return undefined;
    const draft = await files.admit(path, signal);
    if (speaksSameTokens(draft, file)) return draft;
    if (own !== undefined || isFirst) throw otherTokens(draft, file);
    this.#options.log(
      'warn',
      `${draft.id} has another vocabulary than ${file.id}, which is loaded without a draft model`,
    );
    return undefined;
  }
}
