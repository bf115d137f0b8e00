/**
 * Fetches what a client or a model names, from the public internet alone. Every address is checked before it is
 * connected to, after each redirect too: what only this machine or its network can reach is never asked.
 */
export interface PublicWeb {
  /**
   * The whole content after an `http` or `https` URL, redirects followed. ServeError invalid_request, in words for the
   * client: a URL that is not allowed, an answer that is no 2xx, too large, too slow. Rejects with the signal's reason.
   */
  download(url: string, options: DownloadOptions): Promise<Download>;
  /**
   * One request, whose answer is read as it comes, whatever its status; the signal ends it. Errors as `download`.
   * Redirects of what is no GET are followed within the origin alone.
   */
  open(request: WebRequest): Promise<WebAnswer>;
}

export interface DownloadOptions {
  /** Bytes of the content, when decoded. */
  readonly maxBytes: number;
  /** For everything: resolving, connecting, redirects, the last byte. */
  readonly timeoutMs: number;
  /** What is asked for, as in `image/*`. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** The request's field that has the URL: goes into errors. */
  readonly param?: string;
}

export interface Download {
  readonly bytes: Uint8Array;
  /** The Content-Type header as it came. */
  readonly contentType: string | undefined;
  /** After all redirects. */
  readonly url: string;
}

interface WebRequest {
  readonly url: string;
  readonly method?: string;
  /** Not sent on to another origin after a redirect, `accept` apart. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Until the head of the answer is there. */
  readonly timeoutMs: number;
  /** Bytes of the content, when decoded; absent: as many as come. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  readonly param?: string;
}

export interface WebAnswer {
  readonly status: number;
  /** Names in lower case; several of one name joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly url: string;
  /** Decoded. Must be read to its end, left, or ended by the signal: the connection is its own. */
  readonly body: AsyncIterable<Uint8Array>;
}
