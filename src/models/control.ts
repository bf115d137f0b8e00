import { relative, resolve, sep } from 'node:path';
import type {
  LoadProgress,
  LoadRequest,
  LocalModelInfo,
  ModelControl,
  ModelSettings,
  Verdict,
} from '../contract/control.ts';
import { ServeError, toServeError } from '../contract/errors.ts';
import type { Timers } from '../contract/services.ts';
import { chooseQuantization, type MachineMemory, rateQuantizations } from './choose-quantization.ts';
import type { ControlEvents } from './control-events.ts';
import { downloadModel } from './download.ts';
import { checkGpuIds } from './gpu-ids.ts';
import { askedModel, type HubAccess, type HubModel, listHubModels } from './hub.ts';
import { type HubName, showHubName } from './hub-name.ts';
import { findLocalModel, localModels, type ReadModels, removeLocalModel } from './library.ts';
import { locateModel } from './locate.ts';
import { type FreeMemory, mostOf } from './machine-memory.ts';
import type { ModelManager } from './manager.ts';
import { cannotGenerate, type FileProfile, readModelProfile } from './profile.ts';
import type { LoadPlan, Resident } from './resident.ts';
import { weighHubModels } from './weigh-hub-models.ts';

export interface ControlOptions<Runtime> {
  readonly manager: ModelManager<Runtime>;
  readonly events: ControlEvents;
  readonly modelsDir: string;
  /** Names that the user gave, with how to load them. */
  readonly named: Readonly<Record<string, { readonly model: string; readonly settings: ModelSettings }>>;
  readonly hub: { readonly endpoint: string; readonly token: string | undefined };
  /** Where a load gives none of its own. */
  readonly chatTemplate: string | undefined;
  readonly chatFormat: string | undefined;
  /** Every model gives embeddings and ranks only. */
  readonly vectorsOnly: boolean;
  /** Throws when the file would make the library crash. */
  readonly probe: (path: string, signal: AbortSignal) => Promise<void>;
  readonly machineMemory: () => Promise<MachineMemory>;
  readonly freeMemory: () => Promise<FreeMemory>;
  /** Names of the GPUs in use, none without one. */
  readonly gpuNames: () => Promise<readonly string[]>;
  /** For the log. */
  readonly tell: (sentence: string) => void;
  readonly timers: Timers;
}

/** How often the slots are looked at while somebody watches. */
const slotsEveryMs = 250;

/** The control API's view of the models: names become files, files become plans, and the manager does the rest. */
export class ModelControlService<Runtime> implements ModelControl {
  #options: ControlOptions<Runtime>;
  /** Downloads and loads under way, by what was asked for. */
  #running = new Map<string, AbortController>();
  #download: LoadProgress | undefined;
  #read: ReadModels = new Map();
  #watching = false;

  constructor(options: ControlOptions<Runtime>) {
    this.#options = options;
  }

  /** Makes every sound model of the models folder known, so that requests may name it. */
  async refresh(): Promise<void> {
    const { manager, modelsDir, vectorsOnly } = this.#options;
    const models = await localModels(modelsDir, this.#read);
    const isOnly = (name: string) => models.filter(({ profile }) => profile?.id === name).length === 1;
    for (const { id: place, profile } of models) {
      if (!profile) continue;
      const id = isOnly(profile.id) ? profile.id : place;
      const aliases = id === place ? profile.aliases : [...profile.aliases, place];
      manager.add(
        { file: { ...profile, id, aliases, ...(vectorsOnly && { vectorsOnly }) }, settings: {} },
        { atStart: false },
      );
    }
  }

  async load(request: LoadRequest, signal: AbortSignal) {
    const stop = new AbortController();
    this.#running.set(request.target, stop);
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
    return this.#download ?? this.#options.manager.progress();
  }

  events(signal: AbortSignal) {
    const events = this.#options.events.subscribe(signal);
    this.#watchSlots();
    return events;
  }

  async localModels(): Promise<readonly LocalModelInfo[]> {
    const { manager, modelsDir } = this.#options;
    return (await localModels(modelsDir, this.#read)).flatMap(({ id, path, profile }) => {
      if (!profile) return [];
      const { sizeBytes, quantization, architecture, trainedContextSize } = profile;
      const loaded = manager.find(path)?.loaded !== undefined;
      return [{ id, path, sizeBytes, quantization, architecture, trainedContextSize, loaded }];
    });
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
    const { manager, gpuNames, vectorsOnly } = this.#options;
    if (request.gpuIds) checkGpuIds(request.gpuIds, await gpuNames());
    const plan = await this.#plan(request, signal);
    const resident = manager.add(plan, { atStart: false });
    resident.parked = false;
    const same = sameSettings(resident.plan, plan);
    const already = same && resident.loaded !== undefined;
    const loaded = same ? await resident.load(signal) : await resident.replace(plan, signal);
    if (vectorsOnly || !cannotGenerate(plan.file)) manager.activate(resident);
    return { already, model: manager.describe(resident, loaded) };
  }

  /** The file that a request means, downloaded when it lies on the hub, checked, with its settings. */
  async #plan(request: LoadRequest, signal: AbortSignal): Promise<LoadPlan> {
    const { manager, probe, chatFormat, vectorsOnly } = this.#options;
    const settings = { ...this.#options.named[request.target]?.settings, ...request.settings };
    const path = await this.#obtain(request, signal);
    const known = manager.find(path);
    const chatTemplate = settings.chatTemplate ?? this.#options.chatTemplate;
    const file = await readModelProfile(path, { chatTemplate, chatFormat, vectorsOnly });
    if (!known?.loaded) await probe(path, signal);
    // What it was called and what it was for at the start stays.
    const stays = known && pick(known.plan.file);
    return { file: { ...file, ...stays }, settings };
  }

  async #obtain(request: LoadRequest, signal: AbortSignal): Promise<string> {
    const known = this.#options.manager.find(request.target);
    if (known && request.quantization === undefined) return known.plan.file.path;
    const location = await locateModel(withQuantization(request), this.#places());
    if (location.type === 'hub') return this.#pull(location.name, request, signal);
    this.#checkPlace(location.path, request);
    return location.path;
  }

  #checkPlace(path: string, { anyPath }: LoadRequest): void {
    const { modelsDir, manager } = this.#options;
    const inside = !relative(resolve(modelsDir), resolve(path)).startsWith(`..${sep}`);
    if (anyPath || inside || manager.find(path)) return;
    throw new ServeError(
      'forbidden',
      'Only models in the models folder can be loaded from here. Use the admin token, or ask from the machine itself.',
      { param: 'model_path' },
    );
  }

  async #pull(name: HubName, request: LoadRequest, signal: AbortSignal): Promise<string> {
    const { modelsDir, events } = this.#options;
    const access = this.#access(request, signal);
    const model = await this.#choose(name, request, access);
    const progress = (bytesLoaded: number, etaSeconds: number | undefined) => {
      const fraction = model.bytes === 0 ? 1 : bytesLoaded / model.bytes;
      this.#download = {
        model: showHubName(name),
        phase: 'download',
        bytesLoaded,
        bytesTotal: model.bytes,
        fraction,
        etaSeconds,
      };
      events.publish({ type: 'progress', ...this.#download });
    };
    try {
      progress(0, undefined);
      const onProgress = (now: { readonly bytes: number; readonly etaSeconds: number | undefined }) =>
        progress(now.bytes, now.etaSeconds);
      return await downloadModel(model, { ...access, modelsDir, onProgress });
    } finally {
      this.#download = undefined;
    }
  }

  async #choose(name: HubName, request: LoadRequest, access: HubAccess): Promise<HubModel> {
    const models = await listHubModels(name, access);
    const asked = askedModel(name, models);
    if (asked) return asked;
    const neededFor = await this.#weighOnHub(models, request, access);
    const model = chooseQuantization(rateQuantizations(models, await this.#options.machineMemory(), neededFor));
    if (model) return model;
    throw new ServeError(
      'insufficient_memory',
      `No file of ${showHubName(name)} fits this machine. Take a smaller model.`,
    );
  }

  #weighOnHub(models: readonly HubModel[], { settings }: LoadRequest, access: HubAccess) {
    const { manager, tell } = this.#options;
    return weighHubModels(models, { access, shape: manager.shapeOf(settings), tell });
  }

  #places() {
    return { modelsDir: this.#options.modelsDir, namedModels: this.#options.named };
  }

  #access({ hubToken }: LoadRequest, signal: AbortSignal): HubAccess {
    const { endpoint, token } = this.#options.hub;
    return { endpoint, token: hubToken ?? token, signal };
  }

  /** What a model takes, without loading or downloading it. */
  async #weigh(request: LoadRequest, signal: AbortSignal) {
    const { manager, probe } = this.#options;
    const known = manager.find(request.target);
    const target = known?.plan.file.path ?? withQuantization(request);
    const location = await locateModel(target, this.#places());
    if (location.type === 'hub') {
      const access = this.#access(request, signal);
      const model = await this.#choose(location.name, request, access);
      const neededFor = await this.#weighOnHub([model], request, access);
      return { identifier: showHubName(location.name), sizeBytes: model.bytes, requiredBytes: neededFor(model) };
    }
    this.#checkPlace(location.path, request);
    const file = await readModelProfile(location.path);
    await probe(location.path, signal);
    const requiredBytes = manager.requiredBytes({ file, settings: request.settings });
    return { identifier: known?.id ?? file.id, sizeBytes: file.sizeBytes, requiredBytes };
  }

  async #find(target: string): Promise<Resident<Runtime> | undefined> {
    const { manager } = this.#options;
    const named = manager.find(target);
    if (named) return named;
    const location = await locateModel(target, this.#places()).catch(() => undefined);
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

function pick({ id, aliases, vectorsOnly }: FileProfile) {
  return { id, aliases, ...(vectorsOnly && { vectorsOnly }) };
}

function withQuantization({ target, quantization }: LoadRequest): string {
  return quantization === undefined || /:[^/\\]*$/.test(target.replace(/^hf:/, ''))
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
