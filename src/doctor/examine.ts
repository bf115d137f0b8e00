import { layersOf } from '../models/memory.ts';
import {
  type Check,
  cardCheck,
  clockCheck,
  diskCheck,
  hubCheck,
  libraryCheck,
  loadCheck,
  memoryCheck,
  nodeCheck,
  portCheck,
} from './checks.ts';
import { type EstimatedModel, estimateSpeed, formatsOf, type Measured, type Speed, widthOf } from './estimate.ts';
import type { NativeReport } from './native-report.ts';
import type { FitAnswer, Probes, SystemFacts } from './probes.ts';

/** What an issue report needs. */
export interface Report {
  readonly system: SystemFacts;
  readonly checks: readonly Check[];
  readonly measured: NativeReport['measured'];
  readonly models: readonly ModelOutlook[];
}

/** What this machine will do with a model. */
export interface ModelOutlook {
  readonly model: string;
  readonly bytes: number;
  readonly fit: FitAnswer;
  /** An estimate; undefined: nothing was measured, or it does not fit. */
  readonly speed: Speed | undefined;
}

export interface ExamineOptions {
  readonly models: readonly EstimatedModel[];
  /** The one that is decoded to measure. */
  readonly small: EstimatedModel;
  /** Of weights to read in one pass. */
  readonly bytes: number;
  /** Folders that are written to, by what for. */
  readonly folders: readonly { readonly what: string; readonly folder: string }[];
  /** Told what is done now. */
  readonly tell: (sentence: string) => void;
}

/** Asks the machine everything. Nothing that is wrong with it throws. */
export async function examine(probes: Probes, options: ExamineOptions): Promise<Report> {
  const { models, small, folders, tell } = options;
  // At once: the hub may be slow to answer. Nothing else waits beside the measurement.
  const [hub, port, ...disks] = await Promise.all([
    probes.hub(),
    probes.port(),
    ...folders.map(async (each) => diskCheck(each.what, await probes.disk(each.folder))),
  ]);
  const load = probes.load();
  tell('measuring what this machine computes');
  const formats = [...new Set([...models, small].flatMap(formatsOf))];
  const native = await probes.native({ formats, bytes: options.bytes });
  const gpus = native.opened?.gpus ?? [];
  const cards = probes.cards();
  const checks: Check[] = [
    nodeCheck(probes.system),
    libraryCheck(native),
    cardCheck(cards, native),
    memoryCheck(probes.memory()),
    loadCheck(load, probes.system.cores),
    ...disks,
    portCheck(port),
    hubCheck(hub),
    clockCheck(probes.now(), hub),
  ];
  const measured = native.measured && measuredBy(native.measured, small);
  const outlook = (model: EstimatedModel): ModelOutlook => {
    const fit = probes.fit(model, gpus);
    const speed = measured && !('tooLarge' in fit) ? estimateSpeed(model, measured, fit.where) : undefined;
    return { model: model.id, bytes: model.sizeBytes, fit, speed };
  };
  return { system: probes.system, checks, measured: native.measured, models: models.map(outlook) };
}

/**
 * What a token of the small model took beyond the reading of its weights is what its layers' calls took; and in a prompt,
 * beyond products, what is done with each number of its rows.
 */
function measuredBy({ cpu, gpu, small }: NonNullable<NativeReport['measured']>, model: EstimatedModel): Measured {
  const bare = estimateSpeed(model, { cpu, gpu: undefined, layerMs: 0, rowMs: 0 }, undefined);
  const beyond = (rate: number, of: number) => Math.max(0, 1000 / rate - 1000 / of);
  const layers = Math.max(1, layersOf(model));
  return {
    ...{ cpu, gpu },
    layerMs: beyond(small.answer, bare.answer) / layers,
    rowMs: beyond(small.prompt, bare.prompt) / (layers * Math.max(1, widthOf(model))),
  };
}
