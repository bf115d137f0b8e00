import type { Access } from './access/check-access.ts';
import type { Pages } from './access/origin.ts';
import type { ErrorShape } from './error-response.ts';
import type { Exchange } from './exchange.ts';

/** One row of the route table. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `:name` is one path part, `:name{.+}` the rest, slashes included. */
  readonly paths: readonly string[];
  /** Whose error words this route uses, its 404, 405 and 413 included. */
  readonly shape: ErrorShape;
  readonly access: Access;
  /**
   * Whose the things are that the route makes, names or shows. `none`: nobody's, as a count of tokens or a list of
   * models. `caller`: each caller's own; what belongs to another gets the answer of what does not exist, by
   * `Caller.sees`. `admin`: the server's. test/e2e/ownership.test.ts holds every row to it.
   */
  readonly owns: 'none' | 'caller' | 'admin';
  /** New work, which is refused while the server drains. */
  readonly work: boolean;
  /** Absent: `local`. A path has the narrowest of its rows in its preflights and refusals. */
  readonly pages?: Pages;
  readonly handle: (exchange: Exchange) => Promise<Response> | Response;
}
