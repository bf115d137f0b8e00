import koffi from 'koffi';

/**
 * Runs something while the C library of the process has this variable, unless it has it already. The environment of a
 * worker is a copy that native code never sees.
 */
export function withVariable(name: string, value: string, run: () => void): void {
  const c = koffi.load(null);
  const get = c.func('getenv', 'str', ['str']);
  if (get(name) !== null) {
    run();
    return;
  }
  c.func('setenv', 'int', ['str', 'str', 'int'])(name, value, 1);
  try {
    run();
  } finally {
    c.func('unsetenv', 'int', ['str'])(name);
  }
}
