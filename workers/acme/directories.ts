/** ACME directories that have a name of their own in the settings. */

export interface Directory {
  readonly url: string;
  /** For a person: `letsencrypt`, or the host of the URL. */
  readonly name: string;
}

const wellKnown: Readonly<Record<string, string>> = {
  letsencrypt: "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
  zerossl: "https://acme.zerossl.com/v2/DV90",
  google: "https://dv.acme-v02.api.pki.goog/directory",
  "google-staging": "https://dv.acme-v02.test-api.pki.goog/directory",
};

export const directoryNames: readonly string[] = Object.keys(wellKnown);

/** Those that register an account only with an external account binding (RFC 8555 §7.3.4). */
const namesWithExternalAccount = new Set(["zerossl", "google", "google-staging"]);

export const stagingOfLetsEncrypt: Directory = directoryOf("letsencrypt-staging");

/** `text` is one of {@link directoryNames} or a URL. */
export function directoryOf(text: string): Directory {
  const url = wellKnown[text] ?? new URL(text).href;
  const name = directoryNames.find((known) => wellKnown[known] === url);
  return { url, name: name ?? new URL(url).host };
}

export function needsExternalAccount({ name }: Directory): boolean {
  return namesWithExternalAccount.has(name);
}
