interface OwnAssets {
  /** Something that is a text to everybody but the browser. */
  createScriptURL(address: string): string;
}

declare global {
  /** Browsers that keep to `require-trusted-types-for` have it. */
  var trustedTypes: { createPolicy(name: string, rules: OwnAssets): OwnAssets } | undefined;
}

/** An address that the page's policy lets run: it lies below the page's own assets, or this throws a RangeError. */
export function ownAsset(address: URL, base: string): string {
  const createScriptURL = (text: string) => {
    if (!text.startsWith(`${base}ui/`)) throw new RangeError(`${text} is none of this page`);
    return text;
  };
  const policy = globalThis.trustedTypes?.createPolicy('own-assets', { createScriptURL });
  return policy?.createScriptURL(address.href) ?? createScriptURL(address.href);
}
