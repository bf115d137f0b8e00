/** JSON has no minus infinity; OpenAI writes this for a token that could not come. */
const impossible = -9999;

/** A natural logarithm of a probability as every dialect writes it: always a number. */
export function wireLogprob(logprob: number): number {
  return Math.max(logprob, impossible);
}
