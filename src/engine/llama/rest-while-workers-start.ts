/** From the call of a decode until its workers run it takes 0.1 to 0.2 ms, at 2 and at 24 layers. */
const decodeRestMs = 0.3;
/** Every length of a batch has a graph of its own, which is built first: 0.2 to 0.6 ms with 2 layers, 1.2 with 24. */
const promptRestMs = 2;
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

/**
 * Holds this thread still until ggml has started its workers for the decode that was just queued.
 *
 * Workers are started anew for every step. Where this thread, or a client that it has just written to, is busy on the
 * other core at that moment, the kernel may put a worker on the core of its starter, where the two wait for each other
 * until the next balancing: on 2 cores with 2 ggml threads, a step of 3 ms then took 14 to 45. Without any rest a small
 * model fell from 340 to 150 tokens a second with one stream. A timer of a millisecond instead, during which the event
 * loop went on, left one step in a hundred slow, a fifth of all time: timers of streams wrote just then. Holding still
 * leaves none; tokens a second against the timer: 24 layers and one stream 87 / 82, four 137 / 135; 2 layers and four
 * streams 1,170 / 1,100, eight 1,490 / 1,440. With 0.3 ms for prompts too, their one step often took ten times as long:
 * first tokens of a small model after 23 ms on average instead of 16, with 24 layers as early. The price: the event loop
 * stands still for so long in every such step.
 */
export function restWhileWorkersStart({ readsPrompt }: { readonly readsPrompt: boolean }): void {
  try {
    Atomics.wait(nobodyWakes, 0, 0, readsPrompt ? promptRestMs : decodeRestMs);
  } catch {
    // This thread may not wait (a host that embeds Node.js may forbid it): slower, nothing else.
  }
}
