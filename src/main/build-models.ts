import { join } from 'node:path';
import { createWordFile } from '../files/json-file.ts';
import type { ServedModel } from '../generation/served-model.ts';
import { createModels, type Models } from '../models/models.ts';
import { unknownVocabulary } from '../models/profile.ts';
import { expectedName } from '../models/start-models.ts';
import { createTemplateTrials } from '../templates/template-trials.ts';
import { crashTestChild } from './entries.ts';
import type { Groundwork } from './head-start.ts';
import { type LoadTools, loadModelWith, templateFacts } from './load-model.ts';
import { modelsSettings } from './room-settings.ts';

export interface BuildModelsOptions extends Omit<LoadTools, 'early'> {
  readonly ground: Groundwork;
  /** The first model is there, or is not waited for any more. */
  readonly onBegun: () => void;
}

export function buildModels({ ground, onBegun, ...tools }: BuildModelsOptions): Models<ServedModel> {
  const { config, system, metrics, telemetry, templates } = tools;
  const tryTemplates = createTemplateTrials(
    templates,
    createWordFile(join(config.cacheFolder, 'sound-templates.json')),
  );
  return createModels<ServedModel>({
    settings: modelsSettings(config),
    load: loadModelWith({ ...tools, early: ground.head.early }),
    crashTest: { entry: crashTestChild, passed: createWordFile(join(config.cacheFolder, 'sound-models.json')) },
    // As they are rendered later, but for what the vocabulary tells.
    tryTemplates: (file, signal) =>
      tryTemplates(templateFacts({ ...file, vocabulary: unknownVocabulary }, config), signal),
    onLoad: (load) => metrics.modelLoaded(load),
    firstName: expectedName(ground.models, ground.head.file),
    onBegun,
    ...{ clock: system.clock, timers: system.timers, log: telemetry.log },
  });
}
