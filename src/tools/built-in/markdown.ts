import { htmlToMarkdown } from '@mdream/js';

/** What is there to be clicked, drawn or run, and what leads through the site: no reader of its text misses it. */
const leftOut = [
  'script',
  'style',
  'template',
  'noscript',
  'svg',
  'canvas',
  'iframe',
  'object',
  'nav',
  'button',
  'select',
  'textarea',
  'dialog',
];

/** The text of a page, with the addresses behind its links. `url` is the page's own. */
export function toMarkdown(html: string, url: string): string {
  const markdown = htmlToMarkdown(html, {
    origin: url,
    plugins: { filter: { exclude: leftOut } },
    clean: { emptyLinks: true, emptyLinkText: true, emptyImages: true, selfLinkHeadings: true, blankLines: true },
  });
  return markdown.replace(/\]\(<?data:[^)]*\)/g, ']()').trim();
}
