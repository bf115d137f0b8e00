import type { GeneratedToken } from '../engine.ts';
import type { LoopStats, RunEnd, SlotReport, StepMessage, StepReport } from '../remote/protocol.ts';
import type { Slot } from './slot.ts';

type Part = 'admitted' | 'promptLogprobs' | 'ended';
type News<Which extends Part> = NonNullable<StepMessage[Which]>[number];
type Contents = { [Which in Part]?: News<Which>[] };

/**
 * Statistics are told with so many decode steps at a time, or when the loop comes to rest: between two steps nothing of
 * what they touch is in the caches.
 */
const reportEvery = 16;
/** Milliseconds: 16 steps that take longer each would be told seconds late. */
const slowStepMs = 25;

type HeldSlot = Pick<Slot, 'id' | 'tokens' | 'cutPoints'>;

/** What the loop has to tell of a step, gathered and sent in one message. */
export class Outbox {
  readonly #slots: readonly HeldSlot[];
  readonly #stats: () => LoopStats;
  readonly #send: (message: StepMessage) => void;
  #contents: Contents = {};
  #delivered: { readonly run: number; readonly tokens: readonly GeneratedToken[] }[] = [];
  readonly #reports: StepReport[] = [];
  /** The run whose tokens a slot holds; none when its state came from elsewhere. */
  readonly #owners = new Map<number, number>();
  readonly #told = new Map<number, SlotReport>();
  #step = 0;

  constructor(slots: readonly HeldSlot[], stats: () => LoopStats, send: (message: StepMessage) => void) {
    this.#slots = slots;
    this.#stats = stats;
    this.#send = send;
  }

  add<Which extends Part>(part: Which, news: News<Which>): void {
    const list: News<Which>[] = this.#contents[part] ?? [];
    list.push(news);
    Object.assign(this.#contents, { [part]: list });
  }

  /** In the order in which they were sampled, whatever the run. */
  deliver(run: number, tokens: readonly GeneratedToken[]): void {
    this.#delivered.push({ run, tokens });
  }

  report(report: StepReport): void {
    this.#reports.push(report);
  }

  admitted(run: number, slot: number, cachedTokens: number): void {
    this.#owners.set(slot, run);
    this.#told.delete(slot);
    this.add('admitted', { run, cachedTokens });
  }

  /** The slot's state is about to be replaced by one that no run made. */
  disown(slot: number): void {
    this.#owners.delete(slot);
    this.#told.delete(slot);
  }

  ended(end: RunEnd): void {
    this.add('ended', end);
  }

  /** Whether somebody waits for what there is: how runs begin and end, and how far prompts have come. */
  get isUrgent(): boolean {
    return Object.keys(this.#contents).length > 0 || (this.#reports.at(-1)?.prefillTokens ?? 0) > 0;
  }

  /** Sends what there is; gives the number of the message where it delivers tokens. */
  flush({ resting = false } = {}): number | undefined {
    const contents = this.#contents;
    const delivered = this.#delivered;
    const slots = this.#changedSlots();
    const tellsReports = resting || this.#isTimeToReport(contents);
    const reports = tellsReports ? this.#reports.splice(0) : [];
    if (!Object.keys(contents).length && !delivered.length && !slots.length && !reports.length) return undefined;
    this.#contents = {};
    this.#delivered = [];
    const step = ++this.#step;
    this.#send({
      type: 'step',
      step,
      ...contents,
      ...(delivered.length > 0 && { delivered }),
      ...(slots.length > 0 && { slots }),
      ...(reports.length > 0 && { reports, stats: this.#stats() }),
    });
    return delivered.length > 0 ? step : undefined;
  }

  /** Whoever hears that a run has ended finds it counted, and how far a prompt has come is waited for. */
  #isTimeToReport({ ended, admitted }: Contents): boolean {
    const last = this.#reports.at(-1);
    if (!last) return false;
    return (
      ended !== undefined ||
      admitted !== undefined ||
      last.prefillTokens > 0 ||
      last.ms > slowStepMs ||
      this.#reports.length >= reportEvery
    );
  }

  #changedSlots(): SlotReport[] {
    const changed: SlotReport[] = [];
    for (const slot of this.#slots) {
      const run = this.#owners.get(slot.id);
      if (run === undefined) continue;
      const told = this.#told.get(slot.id);
      const held = slot.tokens.length;
      if (told && told.held === held && told.run === run) continue;
      const report = { slot: slot.id, run, held, cutPoints: slot.cutPoints };
      this.#told.set(slot.id, report);
      changed.push(report);
    }
    return changed;
  }
}
