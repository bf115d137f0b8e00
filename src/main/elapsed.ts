import type { System } from './system.ts';

/** Settles after so much time. */
export function elapsed({ timers }: Pick<System, 'timers'>, milliseconds: number): Promise<void> {
  return new Promise((resolve) => timers.after(milliseconds, resolve));
}
