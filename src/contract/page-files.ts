/** How the bytes of a file are sent. */
export type PageEncoding = 'br' | 'gzip' | 'identity';

/** One file of the chat page or of the guides. */
export interface PageFile {
  /** For Content-Type. */
  readonly type: string;
  /** Of the content, without quotes; the same for every encoding. */
  readonly etag: string;
  /** It can be had as `br` and `gzip` too. */
  readonly compressed: boolean;
  read(encoding: PageEncoding): Promise<Uint8Array<ArrayBuffer>>;
}

/** The built chat page, or the built guides. */
export interface PageFiles {
  /** By its path in the build, as `index.html` or `assets/page-1a2b.js`; undefined where there is none. */
  find(path: string): PageFile | undefined;
}
