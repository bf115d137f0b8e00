import { CallFailure } from '../call-failure.ts';

/** Ends the work after that time with a CallFailure, or with the signal's reason. */
export async function within<Result>(
  milliseconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limit = AbortSignal.timeout(milliseconds);
  try {
    return await work(AbortSignal.any([signal, limit]));
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new CallFailure(`There was no answer within ${milliseconds / 1000} s.`);
    throw error;
  }
}
