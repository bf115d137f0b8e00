import type {
  ControlEvent,
  LoadProgress,
  LoadRequest,
  LocalModelInfo,
  ModelControl,
  Verdict,
} from '../contract/control.ts';
import { ServeError, toServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ModelSettings } from '../contract/model-settings.ts';
import type { Timers } from '../contract/services.ts';
import type { ControlEvents } from './control-events.ts';
import { otherTokens, speaksSameTokens } from './draft-model.ts';
import { bundledModelPath } from './find-model.ts';
import { checkGpuIds } from './gpu-ids.ts';
import { showHubName } from './hub-name.ts';
import { findLocalModel, localModels, type ReadModels, removeLocalModel } from './library.ts';
import { type FreeMemory, mostOf } from './machine-memory.ts';
import type { ModelManager } from './manager.ts';
import type { ModelFiles, ModelFilesOptions } from './model-files.ts';
import { type FileProfile, readModelProfile } from './profile.ts';
import type { LoadPlan, Resident } from './resident.ts';

export interface ControlOptions<Runtime> {
  readonly manager: ModelManager<Runtime>;
  readonly files: ModelFiles;
  readonly events: ControlEvents;
  readonly modelsDir: string;
  /** Names that the user gave, with how to load them. */
  readonly named: ModelFilesOptions['named'];
  /** Where a load gives none of its own. */
  readonly chatTemplate: string | undefined;
  readonly chatFormat: string | undefined;
  /** false: no model is to see. */
  readonly withProjectors: boolean;
  /** Every model gives embeddings and ranks only. */
  readonly forVectors: boolean;
  readonly freeMemory: () => Promise<FreeMemory>;
  /** Names of the GPUs in use, none without one. */
  readonly gpuNames: () => readonly string[];
  readonly timers: Timers;
}

/** How often the slots are looked at while somebody watches. */
const slotsEveryMs = 250;

/** The control API's view of the models: names become files, files become plans, and the manager does the rest. */
export class ModelControlService<Runtime> implements ModelControl {
  #options: ControlOptions<Runtime>;
  /** Downloads and loads under way, by what was asked for. */
  #running = new Map<string, AbortController>();
  #files: ModelFiles;
  #read: ReadModels = new Map();
  #watching = false;
  #bundledProfile: FileProfile | undefined;

  constructor(options: ControlOptions<Runtime>) {
    this.#options = options;
    this.#files = options.files;
  }

  /** Makes every sound model of the models folder known, so that requests may name it. */
  async refresh(): Promise<void> {
    const { manager, forVectors } = this.#options;
    const models = await this.#inFolder();
    const isOnly = (name: string) => models.filter(({ profile }) => profile?.id === name).length === 1;
    for (const { id: place, profile } of models) {
      if (!profile) continue;
      const id = isOnly(profile.id) ? profile.id : place;
      const aliases = id === place ? profile.aliases : [...profile.aliases, place];
      manager.add(
        { file: { ...profile, id, aliases, generates: profile.generates && !forVectors }, settings: {} },
        { atStart: false },
      );
    }
  }

  async load(request: LoadRequest, signal: AbortSignal) {
    const stop = new AbortController();
    this.#running.set(request.target, stop);
    this.#options.events.begin();
    try {
      return await this.#load(request, AbortSignal.any([signal, stop.signal]));
    } finally {
      if (this.#running.get(request.target) === stop) this.#running.delete(request.target);
    }
  }

  async unload(target: string): Promise<string> {
    const running = this.#running.get(target);
    const resident = await this.#find(target);
    running?.abort(new ServeError('model_not_loaded', `The load of ${target} was cancelled.`));
    if (resident && (resident.loaded || resident.isLoading)) {
      resident.parked = true;
      await resident.unload();
      return resident.id;
    }
    if (running) return target;
    throw new ServeError('model_not_found', `${target} is not loaded. GET /api/inference/status shows what is.`, {
      param: 'model_path',
    });
  }

  async validate(request: LoadRequest, signal: AbortSignal): Promise<Verdict> {
    const { manager, freeMemory } = this.#options;
    const availableBytes = mostOf(await freeMemory());
    const base = { identifier: request.target, availableBytes, sizeBytes: undefined, requiredBytes: undefined };
    try {
      const found = await this.#weigh(request, signal);
      const fits = await manager.fits(found.requiredBytes, request.target);
      const message = fits
        ? 'This model can be loaded.'
        : "This is a model, but it does not fit this machine's memory.";
      return { ...base, ...found, valid: true, fits, message };
    } catch (error) {
      signal.throwIfAborted();
      return { ...base, valid: false, fits: false, message: toServeError(error).message };
    }
  }

  status() {
    return this.#options.manager.status();
  }

  progress(): LoadProgress | undefined {
    const { manager, events } = this.#options;
    return this.#files.download ?? manager.progress() ?? events.finished;
  }

  events(signal: AbortSignal) {
    const events = this.#options.events.subscribe(signal);
    this.#watchSlots();
    return events;
  }

  async localModels(): Promise<readonly LocalModelInfo[]> {
    const { manager } = this.#options;
    const local = (await this.#inFolder()).flatMap(({ id, path, profile }) =>
      profile ? [describeLocal(profile, id, manager.find(path)?.loaded !== undefined, 'folder')] : [],
    );
    const paths = new Set(local.map(({ path }) => path));
    const elsewhere = manager.known().filter(({ profile }) => !paths.has(profile.path));
    const given = elsewhere.map(({ profile, state }) =>
      describeLocal(profile, profile.id, state === 'loaded', profile.path === bundledModelPath ? 'bundled' : 'given'),
    );
    const isBundledKnown = given.some(({ source }) => source === 'bundled');
    return [...given, ...local, ...(isBundledKnown ? [] : await this.#bundled())];
  }

  #inFolder() {
    return localModels(this.#options.modelsDir, this.#read, this.#sight());
  }

  #sight() {
    return this.#options.withProjectors ? {} : ({ projector: false } as const);
  }

  /** The model of the package is there to be loaded whatever the server was started with. */
  async #bundled(): Promise<LocalModelInfo[]> {
    this.#bundledProfile ??= await readModelProfile(bundledModelPath, this.#sight()).catch(() => undefined);
    const profile = this.#bundledProfile;
    return profile ? [describeLocal(profile, profile.id, false, 'bundled')] : [];
  }

  async remove(id: string): Promise<void> {
    const { manager, modelsDir } = this.#options;
    const local = await findLocalModel(id, modelsDir);
    const resident = local && manager.find(local.path);
    if (resident?.loaded || resident?.isLoading) {
      throw new ServeError('invalid_request', `${id} is loaded. Unload it first: POST /api/inference/unload.`);
    }
    const { path } = await removeLocalModel(id, modelsDir);
    manager.forget(path);
  }

  async #load(request: LoadRequest, signal: AbortSignal) {
    const { manager, gpuNames, forVectors } = this.#options;
    if (request.settings.gpuIds) checkGpuIds(request.settings.gpuIds, gpuNames());
    const plan = await this.#plan(request, signal);
    const resident = manager.add(plan, { atStart: false });
    resident.parked = false;
    const same = sameSettings(resident.plan, plan);
    const already = same && resident.loaded !== undefined;
    const loaded = same ? await resident.load(signal) : await resident.replace(plan, signal);
    if (forVectors || plan.file.generates) manager.activate(resident);
    if (already) this.#options.events.publish(readyProgress(loaded.profile));
    return { already, model: manager.describe(resident, loaded) };
  }

  /** The file that a request means, downloaded when it lies on the hub, checked, with its settings. */
  async #plan(request: LoadRequest, signal: AbortSignal): Promise<LoadPlan> {
    const { manager, chatFormat, forVectors } = this.#options;
    const asked = { ...this.#options.named[request.target]?.settings, ...request.settings };
    const path = await this.#obtain(request, signal);
    const known = manager.find(path);
    const chatTemplate = asked.chatTemplate ?? this.#options.chatTemplate;
    const file = await this.#files.admit(path, signal, { chatTemplate, chatFormat, forVectors }).catch((error) => {
      throw about('model_path', error);
    });
    const settings = await this.#withDraft(asked, file, request, signal);
    // What it was called and what it was for at the start stays.
    const stays = known && pick(known.plan.file);
    return { file: { ...file, ...stays }, settings };
  }

  /** A draft model comes the same way as any other. */
  async #withDraft(
    settings: ModelSettings,
    file: FileProfile,
    request: LoadRequest,
    signal: AbortSignal,
  ): Promise<ModelSettings> {
    if (typeof settings.speculation !== 'object') return settings;
    const { draftModel } = settings.speculation;
    try {
      const known = this.#options.manager.find(draftModel)?.plan.file.path;
      const path = known ?? (await this.#files.obtain(draftModel, request, signal));
      const draft = await this.#files.admit(path, signal);
      if (!speaksSameTokens(draft, file)) throw otherTokens(draft, file);
      return { ...settings, speculation: { draftModel: draft.path } };
    } catch (error) {
      throw about('draft_model', error);
    }
  }

  async #obtain(request: LoadRequest, signal: AbortSignal): Promise<string> {
    const known = this.#options.manager.find(request.target);
    if (known && request.quantization === undefined) return known.plan.file.path;
    try {
      return await this.#files.obtain(withQuantization(request), request, signal);
    } catch (error) {
      throw about('model_path', error);
    }
  }

  /** What a model takes, without loading or downloading it. */
  async #weigh(request: LoadRequest, signal: AbortSignal) {
    const { manager } = this.#options;
    const known = manager.find(request.target);
    const location = known
      ? ({ type: 'local', path: known.plan.file.path } as const)
      : await this.#files.locate(withQuantization(request), request);
    if (location.type === 'hub') {
      const weighed = await this.#files.weighOnHub(location.name, request, signal);
      return { identifier: showHubName(location.name), ...weighed };
    }
    const file = await this.#files.admit(location.path, signal);
    const requiredBytes = manager.requiredBytes({ file, settings: request.settings });
    const isVision = file.projector !== undefined;
    return { identifier: known?.id ?? file.id, sizeBytes: file.sizeBytes, requiredBytes, isVision };
  }

  async #find(target: string): Promise<Resident<Runtime> | undefined> {
    const { manager } = this.#options;
    const named = manager.find(target);
    if (named) return named;
    const location = await this.#files.locate(target, { anyPath: true }).catch(() => undefined);
    return location?.type === 'local' ? manager.find(location.path) : undefined;
  }

  /** Looks at the slots while anybody reads events, and tells what changed. */
  #watchSlots(): void {
    if (this.#watching) return;
    this.#watching = true;
    const { events, manager, timers } = this.#options;
    let told = new Map<string, string>();
    const look = () => {
      this.#watching = events.readers > 0;
      if (!this.#watching) return;
      const now = manager.slots().map((report) => ({ report, text: JSON.stringify(report) }));
      for (const { report, text } of now) {
        if (told.get(report.model) !== text) events.publish({ type: 'slots', ...report });
      }
      told = new Map(now.map(({ report, text }) => [report.model, text]));
      timers.after(slotsEveryMs, look);
    };
    timers.after(0, look);
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

/** Nothing had to be done, which is done. */
function readyProgress({ id, sizeBytes }: ModelProfile): ControlEvent {
  const bytes = { bytesLoaded: sizeBytes, bytesTotal: sizeBytes };
  return { type: 'progress', model: id, phase: 'ready', ...bytes, fraction: 1, etaSeconds: 0 };
}

function describeLocal(
  { path, sizeBytes, quantization, architecture, trainedContextSize }: FileProfile,
  id: string,
  loaded: boolean,
  source: LocalModelInfo['source'],
): LocalModelInfo {
  return { id, path, sizeBytes, quantization, architecture, trainedContextSize, loaded, source };
}

function withQuantization({ target, quantization }: LoadRequest): string {
  return quantization === undefined || /:[^:/\\]*$/.test(target.replace(/^hf:/, ''))
    ? target
    : `${target}:${quantization}`;
}

function sameSettings(a: LoadPlan, b: LoadPlan): boolean {
  const text = ({ settings }: LoadPlan) =>
    JSON.stringify(
      Object.entries(settings)
        .filter(([, value]) => value !== undefined)
        .sort(),
    );
  return text(a) === text(b);
}
