import fc from 'fast-check';

/**
 * Random tests are the same in every run, so that a red build means a change; FUZZ_SEED=random (or a number) looks for
 * new cases.
 */
const asked = process.env.FUZZ_SEED;
if (asked !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(asked ?? 20_261_121) });
