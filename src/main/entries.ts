/** Compiled files that run beside the server, in a thread or a process of their own. */
export const engineWorker = new URL('./engine-worker.js', import.meta.url);
export const templateChild = new URL('./template-child.js', import.meta.url);
export const mediaChild = new URL('./media-child.js', import.meta.url);
export const engineChild = new URL('./engine-child.js', import.meta.url);
export const pageWorker = new URL('./page-worker.js', import.meta.url);
export const quantizeChild = new URL('./quantize-child.js', import.meta.url);
export const doctorChild = new URL('./doctor-child.js', import.meta.url);
export const bareRatesChild = new URL('./bare-rates-child.js', import.meta.url);
export const crashTestChild = new URL('./crash-test-child.js', import.meta.url);
