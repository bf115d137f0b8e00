import type { ControlStatus, LoadedModelStatus, LoadProgress, SlotReport } from '../contract/control.ts';
import type { KnownModels } from './known-models.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { Resident } from './resident.ts';
import type { RoomForModels } from './room-for-models.ts';

export type ModelSlots = { readonly model: string; readonly slots: readonly SlotReport[] };

/** What there is to tell of the models, for people and for programs that watch. */
export class ModelReports<Runtime> {
  readonly #models: KnownModels<Runtime>;
  readonly #room: RoomForModels;

  constructor(models: KnownModels<Runtime>, room: RoomForModels) {
    this.#models = models;
    this.#room = room;
  }

  status(): ControlStatus {
    const { active } = this.#models;
    return {
      active: active?.loaded && active.id,
      loading: this.#models.all().flatMap(({ id, isLoading }) => (isLoading ? [id] : [])),
      models: this.#models
        .ordered()
        .flatMap((resident) => (resident.loaded ? [this.describe(resident, resident.loaded)] : [])),
    };
  }

  describe({ plan }: Resident<Runtime>, { profile, features, device }: LoadedModel<Runtime>): LoadedModelStatus {
    const { settings } = plan;
    const memoryBytes = this.#room.needOf(profile, settings).total;
    const maxContextSize = this.#room.mostContext(profile, settings);
    return { profile, features, device, settings, memoryBytes, maxContextSize };
  }

  /** Of the load under way. */
  progress(): LoadProgress | undefined {
    return this.#models
      .all()
      .map((resident) => resident.progress())
      .find((progress) => progress);
  }

  /** What the slots of every loaded model do. */
  slots(): readonly ModelSlots[] {
    return this.#models
      .ordered()
      .flatMap(({ loaded }) => (loaded ? [{ model: loaded.profile.id, slots: loaded.slots() }] : []));
  }
}
