import type { LoadRequest } from '../contract/control.ts';
import { ServeError } from '../contract/errors.ts';
import type { ModelSettings } from '../contract/model-settings.ts';
import { sensesOf } from '../contract/projector.ts';
import { otherTokens, speaksSameTokens } from './draft-model.ts';
import { showHubName } from './hub-name.ts';
import type { LoadPlan } from './loaded-model.ts';
import type { ModelManager } from './manager.ts';
import type { ModelFiles, ModelFilesOptions } from './model-files.ts';
import type { FileProfile } from './profile.ts';
import type { Resident } from './resident.ts';

export interface LoadRequestOptions<Runtime> {
  readonly manager: ModelManager<Runtime>;
  readonly files: ModelFiles;
  /** Names that the user gave, with how to load them. */
  readonly named: ModelFilesOptions['named'];
  /** Where a load gives none of its own. */
  readonly chatTemplate: string | undefined;
  readonly chatFormat: string | undefined;
  /** Every model gives embeddings and ranks only. */
  readonly forVectors: boolean;
}

/** What a request to load something means: which file, downloaded where it is not here, and with which settings. */
export class LoadRequests<Runtime> {
  readonly #options: LoadRequestOptions<Runtime>;

  constructor(options: LoadRequestOptions<Runtime>) {
    this.#options = options;
  }

  /** The file that a request means, downloaded when it lies on the hub, checked, with its settings. */
  async plan(request: LoadRequest, signal: AbortSignal): Promise<LoadPlan> {
    const { manager, named, files, chatFormat, forVectors } = this.#options;
    const asked = { ...named[request.target]?.settings, ...request.settings };
    const path = await this.#obtain(request, signal);
    const known = manager.find(path);
    const chatTemplate = asked.chatTemplate ?? this.#options.chatTemplate;
    const file = await files.admit(path, signal, { chatTemplate, chatFormat, forVectors }).catch((error) => {
      throw about('model_path', error);
    });
    const settings = await this.#withDraft(asked, file, request, signal);
    // What it was called and what it was for at the start stays.
    const stays = known && pick(known.plan.file);
    return { file: { ...file, ...stays }, settings };
  }

  /** What a model takes, without loading or downloading it. */
  async weigh(request: LoadRequest, signal: AbortSignal) {
    const { manager, files } = this.#options;
    const known = manager.find(request.target);
    const location = known
      ? ({ type: 'local', path: known.plan.file.path } as const)
      : await files.locate(withQuantization(request), request);
    if (location.type === 'hub') {
      const weighed = await files.weighOnHub(location.name, request, signal);
      return { identifier: showHubName(location.name), ...weighed };
    }
    // What a known model was given at the start is what it would be loaded with.
    const file = { ...(await files.admit(location.path, signal)), ...(known && pick(known.plan.file)) };
    const requiredBytes = manager.room.requiredBytes({ file, settings: request.settings });
    const { images: isVision, audio: hasAudioInput } = sensesOf(file.projector);
    return { identifier: known?.id ?? file.id, sizeBytes: file.sizeBytes, requiredBytes, isVision, hasAudioInput };
  }

  /** The known model that a name or a path means. */
  async find(target: string): Promise<Resident<Runtime> | undefined> {
    const { manager, files } = this.#options;
    const named = manager.find(target);
    if (named) return named;
    const location = await files.locate(target, { anyPath: true }).catch(() => undefined);
    return location?.type === 'local' ? manager.find(location.path) : undefined;
  }

  async #obtain(request: LoadRequest, signal: AbortSignal): Promise<string> {
    const known = this.#options.manager.find(request.target);
    if (known && request.quantization === undefined) return known.plan.file.path;
    try {
      return await this.#options.files.obtain(withQuantization(request), request, signal);
    } catch (error) {
      throw about('model_path', error);
    }
  }

  /** A draft model comes the same way as any other. */
  async #withDraft(
    settings: ModelSettings,
    file: FileProfile,
    request: LoadRequest,
    signal: AbortSignal,
  ): Promise<ModelSettings> {
    if (typeof settings.speculation !== 'object') return settings;
    const { manager, files } = this.#options;
    const { draftModel } = settings.speculation;
    try {
      const known = manager.find(draftModel)?.plan.file.path;
      const path = known ?? (await files.obtain(draftModel, request, signal));
      const draft = await files.admit(path, signal);
      if (!speaksSameTokens(draft, file)) throw otherTokens(draft, file);
      return { ...settings, speculation: { draftModel: draft.path } };
    } catch (error) {
      throw about('draft_model', error);
    }
  }
}

/** What is wrong with a file that a request names is about the field that names it. */
function about(param: string, error: unknown): unknown {
  return error instanceof ServeError && param !== error.details.param
    ? new ServeError(error.code, error.message, { ...error.details, param }, { cause: error.cause })
    : error;
}

function pick({ id, aliases, generates, projector, otherProjectors = [] }: FileProfile) {
  return { id, aliases, generates, ...(projector && { projector, otherProjectors }) };
}

function withQuantization({ target, quantization }: LoadRequest): string {
  return quantization === undefined || /:[^:/\\]*$/.test(target.replace(/^hf:/, ''))
    ? target
    : `${target}:${quantization}`;
}
