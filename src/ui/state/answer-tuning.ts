import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { member as memberOf, reasonOf } from '../api/failure.ts';
import { attempt, type KeyValueStorage } from './preferences.ts';

/** Numbers that shape an answer, as `/v1/chat/completions` names them, with what the server takes of each. */
export const samplingFields = [
  { name: 'temperature', least: 0, most: 5, step: 0.05 },
  { name: 'top_p', least: 0, most: 1, step: 0.01 },
  { name: 'top_k', least: 0, most: 1_000_000, step: 1 },
  { name: 'min_p', least: 0, most: 1, step: 0.01 },
  { name: 'repeat_penalty', least: 0, most: 10, step: 0.05 },
  { name: 'presence_penalty', least: -2, most: 2, step: 0.1 },
  { name: 'frequency_penalty', least: -2, most: 2, step: 0.1 },
  { name: 'max_tokens', least: 1, most: 10_000_000, step: 1 },
  { name: 'seed', least: 0, most: Number.MAX_SAFE_INTEGER, step: 1 },
] as const;

export type SamplingField = (typeof samplingFields)[number];
export type SamplingName = SamplingField['name'];
type Sampling = Readonly<Partial<Record<SamplingName, number>>>;

/** What an answer is held to, token by token. Both texts are kept while the other one is in force. */
export interface Form {
  readonly kind: 'free' | 'schema' | 'grammar';
  readonly schema: string;
  readonly grammar: string;
}

/** How answers are to be. */
export interface Tune {
  readonly systemPrompt: string;
  /** What is not in it is the server's own. */
  readonly sampling: Sampling;
  readonly form: Form;
}

export interface Preset extends Tune {
  readonly name: string;
}

const plain: Tune = { systemPrompt: '', sampling: {}, form: { kind: 'free', schema: '', grammar: '' } };
const tuneName = 'serve-model:tune';
const presetsName = 'serve-model:presets';

/** How answers are to be, in this browser; and the presets that were made of it. */
export class Tuning {
  readonly tune: Signal<Tune>;
  readonly presets: Signal<readonly Preset[]>;
  /** The name of the preset that was applied or saved last. */
  readonly preset: Signal<string | undefined>;
  /** It was changed since. */
  readonly isChanged: ReadonlySignal<boolean>;
  /** Why the form cannot be sent; undefined where it can. */
  readonly formProblem: ReadonlySignal<string | undefined>;
  /** For a request: only what somebody set. */
  readonly body: ReadonlySignal<Readonly<Record<string, unknown>>>;

  readonly #storage: KeyValueStorage;

  constructor(storage: KeyValueStorage) {
    const before = readJson(storage, tuneName);
    this.tune = signal(readTune(before));
    this.preset = signal(textIn(before, 'preset') || undefined);
    this.#storage = storage;
    this.presets = signal(readPresets(storage) ?? []);
    this.isChanged = computed(() => {
      const saved = this.presets.value.find(({ name }) => name === this.preset.value);
      return JSON.stringify(readTune(saved ?? plain)) !== JSON.stringify(this.tune.value);
    });
    this.formProblem = computed(() => problemOf(this.tune.value.form));
    this.body = computed(() => ({ ...this.tune.value.sampling, ...formBody(this.tune.value.form) }));
    effect(() => writeJson(storage, tuneName, { ...this.tune.value, preset: this.preset.value }));
    effect(() => writeJson(storage, presetsName, this.presets.value));
  }

  change(part: Partial<Tune>): void {
    this.tune.value = { ...this.tune.value, ...part };
  }

  /** Undefined: as the server does by itself. */
  setSampling(name: SamplingName, value: number | undefined): void {
    const { [name]: _, ...rest } = this.tune.value.sampling;
    // Always in the same order, so that the same settings are the same text.
    const next: Sampling = value === undefined ? rest : { ...rest, [name]: value };
    const sampling = Object.fromEntries(
      samplingFields.flatMap((field) => (next[field.name] === undefined ? [] : [[field.name, next[field.name]]])),
    );
    this.change({ sampling });
  }

  /** Undefined: the server's own of everything. */
  apply(name: string | undefined): void {
    this.preset.value = name;
    this.tune.value = readTune(this.presets.value.find((preset) => preset.name === name) ?? plain);
  }

  /** As a preset, in the place of one of this name. */
  save(name: string): void {
    this.presets.value = [...this.#presetsBut(name), { name, ...this.tune.value }].sort((left, right) =>
      left.name.localeCompare(right.name),
    );
    this.preset.value = name;
  }

  /** The settings stay as they are. */
  remove(name: string): void {
    this.presets.value = this.#presetsBut(name);
    if (this.preset.value === name) this.preset.value = undefined;
  }

  /** As they are kept by now: another tab may have saved some since. */
  #presetsBut(name: string): readonly Preset[] {
    const kept = readPresets(this.#storage) ?? this.presets.value;
    return kept.filter((preset) => preset.name !== name);
  }
}

function formBody({ kind, schema, grammar }: Form): Readonly<Record<string, unknown>> {
  if (kind === 'grammar') return grammar.trim() === '' ? {} : { grammar };
  const parsed = kind === 'schema' ? parsedSchema(schema) : undefined;
  return parsed === undefined
    ? {}
    : { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: parsed } } };
}

function problemOf({ kind, schema }: Form): string | undefined {
  if (kind !== 'schema' || schema.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(schema);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : '{…}';
  } catch (error) {
    return reasonOf(error);
  }
}

function parsedSchema(schema: string): unknown {
  return schema.trim() === '' || problemOf({ kind: 'schema', schema, grammar: '' }) !== undefined
    ? undefined
    : JSON.parse(schema);
}

/** What was kept may be of another version of the page: what is not understood is left out. */
function readTune(value: unknown): Tune {
  const sampling = memberOf(value, 'sampling');
  const form = memberOf(value, 'form');
  const kind = textIn(form, 'kind');
  return {
    systemPrompt: textIn(value, 'systemPrompt'),
    sampling: Object.fromEntries(
      samplingFields.flatMap(({ name }) => {
        const number = memberOf(sampling, name);
        return typeof number === 'number' ? [[name, number]] : [];
      }),
    ),
    form: {
      kind: kind === 'schema' || kind === 'grammar' ? kind : 'free',
      schema: textIn(form, 'schema'),
      grammar: textIn(form, 'grammar'),
    },
  };
}

function readPresets(storage: KeyValueStorage): Preset[] | undefined {
  const presets = readJson(storage, presetsName);
  return Array.isArray(presets) ? presets.map(readPreset).filter(({ name }) => name !== '') : undefined;
}

function readPreset(value: unknown): Preset {
  return { name: textIn(value, 'name'), ...readTune(value) };
}

function textIn(value: unknown, name: string): string {
  const text = memberOf(value, name);
  return typeof text === 'string' ? text : '';
}

function readJson(storage: KeyValueStorage, name: string): unknown {
  return attempt(() => JSON.parse(storage.getItem(name) ?? 'null'));
}

function writeJson(storage: KeyValueStorage, name: string, value: unknown): void {
  attempt(() => storage.setItem(name, JSON.stringify(value)));
}
