const size = 624;
const ahead = 397;

/** MT19937 (Matsumoto and Nishimura, 1998), as `std::mt19937`; doubles as `std::generate_canonical` makes them of two. */
export class MersenneTwister {
  readonly #state = new Uint32Array(size);
  #at = size;

  /** 32 bits. */
  constructor(seed: number) {
    this.#state[0] = seed;
    for (let at = 1; at < size; at++) {
      const before = this.#word(at - 1);
      this.#state[at] = Math.imul(1_812_433_253, before ^ (before >>> 30)) + at;
    }
  }

  next(): number {
    if (this.#at === size) this.#twist();
    let word = this.#word(this.#at++);
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** 0 to 1, 1 excluded. */
  double(): number {
    const low = this.next();
    return (low + this.next() * 2 ** 32) / 2 ** 64;
  }

  #twist(): void {
    for (let at = 0; at < size; at++) {
      const mixed = (this.#word(at) & 0x80000000) | (this.#word((at + 1) % size) & 0x7fffffff);
      this.#state[at] = this.#word((at + ahead) % size) ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }

  #word(at: number): number {
    return this.#state[at] ?? 0;
  }
}
