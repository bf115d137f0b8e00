import { parentPort, workerData } from 'node:worker_threads';
import { toMarkdown } from '../tools/built-in/markdown.ts';
import type { PageToConvert } from '../tools/built-in/page-thread.ts';

/** The thread that a page becomes text in. */
const { html, url }: PageToConvert = workerData;
parentPort?.postMessage(toMarkdown(html, url));
