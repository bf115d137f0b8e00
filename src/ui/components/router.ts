/** Which chat is shown stands behind the #, so the page works at any address and under any prefix. */
const form = /^#\/chat\/([\w-]+)$/;

export function addressOf(id: string | undefined): string {
  return id === undefined ? '#/' : `#/chat/${id}`;
}

export function chatInAddress(hash: string): string | undefined {
  return form.exec(hash)?.[1];
}

export function showChat(id: string | undefined): void {
  location.hash = addressOf(id);
}
