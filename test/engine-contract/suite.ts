import { afterAll, beforeAll, describe, it } from 'vitest';
import { runCases } from './run-cases.ts';
import { stateCases } from './state-cases.ts';
import type { ContractFactory, ContractSubject } from './subject.ts';
import { within } from './subject.ts';

export type ContractCases = Record<string, (subject: ContractSubject, factory: ContractFactory) => Promise<void>>;

const cases = { ...runCases, ...stateCases } satisfies ContractCases;

export type ContractCase = keyof typeof cases;

/** What every engine owes to the rooms above it. `skips`: case -> why this engine cannot or need not. */
export function describeEngineContract(
  name: string,
  factory: ContractFactory,
  skips: Partial<Record<ContractCase, string>> = {},
): void {
  describe(`engine contract: ${name}`, () => {
    let subject: ContractSubject;
    beforeAll(async () => {
      subject = await factory();
    });
    afterAll(() => within(subject.engine.dispose(), 'dispose'));

    for (const [title, check] of Object.entries<ContractCases[string]>(cases)) {
      const reason = skips[title as ContractCase];
      if (reason === undefined) it(title, () => check(subject, factory));
      else it.skip(`${title} (skipped: ${reason})`, () => undefined);
    }
  });
}
