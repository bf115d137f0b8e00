import { createHash } from 'node:crypto';
import type { Clock } from '../contract/services.ts';
import { type RoomEntry, SharedRoom, type Sharer } from '../contract/shared-room.ts';
import type { Constraint, ConstraintRequest } from './constraint.ts';
import { constrain } from './constraint.ts';

/** A constraint was needed. Milliseconds and characters are 0 when nothing was compiled. */
export interface ConstraintRecord {
  readonly cached: boolean;
  readonly milliseconds: number;
  readonly characters: number;
  /** Sentences for the log: which parts of which schemas are only checked afterwards, and why. */
  readonly loosened: readonly LoosenedNote[];
}

interface LoosenedNote {
  /** Something is not even checked afterwards, or a whole schema was given up. */
  readonly isWarning: boolean;
  readonly sentence: string;
}

export interface ConstraintCacheOptions {
  readonly clock: Clock;
  /** Told about each, for metrics. */
  readonly onConstraint?: (record: ConstraintRecord) => void;
  /** Characters of GBNF that are kept. */
  readonly maxCharacters?: number;
  readonly maxCount?: number;
}

interface KeptConstraint extends RoomEntry {
  readonly constraint: Constraint;
}

/** Constraints that are made once and kept: the same tools and schemas come with every turn of a conversation. */
export class ConstraintCache {
  #options: Required<Omit<ConstraintCacheOptions, 'onConstraint'>> & Pick<ConstraintCacheOptions, 'onConstraint'>;
  /** Sizes are characters; the least recently used of an owner counts as its oldest. */
  #kept = new SharedRoom<KeptConstraint>();

  constructor({ maxCharacters = 8_000_000, maxCount = 256, ...options }: ConstraintCacheOptions) {
    this.#options = { ...options, maxCharacters, maxCount };
  }

  /** Throws what constrain throws; failures are not kept. */
  get(request: ConstraintRequest, { owner, scope }: Sharer): Constraint {
    const { clock, onConstraint } = this.#options;
    if (request.outputShape.type === 'text' && request.tools.length === 0 && !choosesTools(request))
      return constrain(request);
    const key = `${scope} ${keyOf(request)}`;
    const known = this.#kept.get(key);
    if (known) {
      this.#kept.put(key, known);
      onConstraint?.({ cached: true, milliseconds: 0, characters: 0, loosened: [] });
      return known.constraint;
    }
    const start = clock();
    const constraint = constrain(request);
    const milliseconds = clock() - start;
    onConstraint?.({
      cached: false,
      milliseconds,
      characters: sizeOf(constraint),
      loosened: constraint.loosened.map(note),
    });
    this.#keep(key, { owner, size: sizeOf(constraint), constraint });
    return constraint;
  }

  #keep(key: string, constraint: KeptConstraint): void {
    this.#kept.keep(key, constraint, { count: this.#options.maxCount, size: this.#options.maxCharacters });
  }
}

function note(each: Constraint['loosened'][number]): LoosenedNote {
  const owner = 'tool' in each ? `the tool ${each.tool}` : 'the answer';
  if ('reason' in each && each.reason !== undefined)
    return { isWarning: true, sentence: `The arguments of ${owner} are any JSON, checked afterwards: ${each.reason}` };
  if ('problem' in each && each.problem !== undefined)
    return {
      isWarning: true,
      sentence: `In the schema of ${owner}, ${each.keyword} at ${each.path} is not looked at: ${each.problem}.`,
    };
  return {
    isWarning: false,
    sentence: `In the schema of ${owner}, ${each.keyword} at ${each.path} is only checked afterwards.`,
  };
}

function choosesTools({ toolChoice }: ConstraintRequest): boolean {
  return toolChoice.type !== 'auto' && toolChoice.type !== 'none';
}

/** What tools say about themselves does not matter here, and the prompt only by how it leaves off. */
function keyOf({ format, opening, tools, ...rest }: ConstraintRequest): string {
  const shown = tools.map(({ name, parameters, strict, freeform }) => ({ name, parameters, strict, freeform }));
  const { block, continues, generationPrompt = '' } = opening ?? {};
  const close = format.reasoning?.close.trim();
  const begin = opening && {
    block,
    continues,
    closed: close !== undefined && generationPrompt.includes(close),
    // What an answer continues only matters where its form is given.
    ...(continues && rest.outputShape.type !== 'text' && { generationPrompt }),
  };
  const facts = JSON.stringify({ format, begin, tools: shown, ...rest });
  return createHash('sha256').update(facts).digest('base64');
}

function sizeOf({ grammar, afterReasoning, counted }: Constraint): number {
  const characters = (grammar?.length ?? 0) + (afterReasoning?.length ?? 0);
  return counted ? characters * asData : characters;
}

/** A grammar as data takes so many times the memory of its text. */
const asData = 20;
