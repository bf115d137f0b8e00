/** A call that came to no result: in words for the model. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
}
