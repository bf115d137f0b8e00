import type { ControlEvent, LoadProgress, LoadRequest, ModelControl, Verdict } from '../contract/control.ts';
import { ServeError, toServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { Timers } from '../contract/services.ts';
import type { ControlEvents } from './control-events.ts';
import { FolderModels, type FolderModelsOptions } from './folder-models.ts';
import { checkGpuIds } from './gpu-ids.ts';
import { type LoadRequestOptions, LoadRequests } from './load-requests.ts';
import type { LoadPlan } from './loaded-model.ts';
import { type FreeMemory, mostOf } from './machine-memory.ts';
import { createSlotWatch } from './watch-slots.ts';

export interface ControlOptions<Runtime> extends FolderModelsOptions<Runtime>, LoadRequestOptions<Runtime> {
  readonly events: ControlEvents;
  readonly freeMemory: () => Promise<FreeMemory>;
  /** Names of the GPUs in use, none without one. */
  readonly gpuNames: () => readonly string[];
  readonly timers: Timers;
}

/** The control API: models are loaded, unloaded and weighed for whoever asks. */
export class ModelControlService<Runtime> implements ModelControl {
  readonly #options: ControlOptions<Runtime>;
  readonly #requests: LoadRequests<Runtime>;
  readonly #folder: FolderModels<Runtime>;
  readonly #watchSlots: () => void;
  /** Downloads and loads under way, by what was asked for. */
  readonly #running = new Map<string, AbortController>();

  constructor(options: ControlOptions<Runtime>) {
    this.#options = options;
    this.#requests = new LoadRequests(options);
    this.#folder = new FolderModels(options);
    const { events, manager, timers } = options;
    this.#watchSlots = createSlotWatch({ events, timers, slots: () => manager.reports.slots() });
  }

  /** Makes every sound model of the models folder known, so that requests may name it. */
  refresh(): Promise<void> {
    return this.#folder.refresh();
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
    const resident = await this.#requests.find(target);
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
      const found = await this.#requests.weigh(request, signal);
      const fits = await manager.room.fits(found.requiredBytes, manager.find(request.target));
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
    return this.#options.manager.reports.status();
  }

  progress(): LoadProgress | undefined {
    const { manager, events, files } = this.#options;
    return files.download ?? manager.reports.progress() ?? events.finished;
  }

  events(signal: AbortSignal) {
    const events = this.#options.events.subscribe(signal);
    this.#watchSlots();
    return events;
  }

  localModels() {
    return this.#folder.list();
  }

  remove(id: string): Promise<void> {
    return this.#folder.remove(id);
  }

  async #load(request: LoadRequest, signal: AbortSignal) {
    const { manager, gpuNames, forVectors, events } = this.#options;
    if (request.settings.gpuIds) checkGpuIds(request.settings.gpuIds, gpuNames());
    const plan = await this.#requests.plan(request, signal);
    const resident = manager.add(plan, { atStart: false });
    resident.parked = false;
    const same = sameSettings(resident.plan, plan);
    const already = same && resident.loaded !== undefined;
    const loaded = same ? await resident.load(signal) : await resident.replace(plan, signal);
    if (forVectors || plan.file.generates) manager.activate(resident);
    if (already) events.publish(readyProgress(loaded.profile));
    return { already, model: manager.reports.describe(resident, loaded) };
  }
}

/** Nothing had to be done, which is done. */
function readyProgress({ id, sizeBytes }: ModelProfile): ControlEvent {
  const bytes = { bytesLoaded: sizeBytes, bytesTotal: sizeBytes };
  return { type: 'progress', model: id, phase: 'ready', ...bytes, fraction: 1, etaSeconds: 0 };
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
