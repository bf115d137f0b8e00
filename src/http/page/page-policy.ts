/**
 * What the chat page may do: nothing from anywhere else, and no string ever becomes markup or script. The one policy of
 * trusted types that it may make lets addresses of its own assets through (workers).
 */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "frame-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types own-assets',
].join('; ');

/** The worker that keeps the page: it fetches of its own origin, and that is all. */
export const workerPolicy = "default-src 'none'; connect-src 'self'";

/** The guides: text, one style and pictures of the server's own. */
export const guidePolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The document that shows what a model wrote as HTML, SVG or a diagram. It has no origin, so it reaches no API, no
 * storage and no cookie; a frame with srcdoc would inherit the page's policy, and nothing would run.
 */
export const sandboxPolicy = [
  'sandbox allow-scripts',
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  'img-src data: blob:',
  'font-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');
