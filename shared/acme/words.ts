/** Names, times and lengths of time as a person reads them. */

const knownDirectories: Readonly<Record<string, string>> = {
  "acme-v02.api.letsencrypt.org": "Let's Encrypt",
  "acme-staging-v02.api.letsencrypt.org": "Let's Encrypt (staging)",
  "acme.zerossl.com": "ZeroSSL",
  "dv.acme-v02.api.pki.goog": "Google Trust Services",
  "dv.acme-v02.test-api.pki.goog": "Google Trust Services (staging)",
};

/** What a CA is called, by its directory's URL. */
export function caName(directory: string): string {
  const host = URL.parse(directory)?.host ?? directory;
  return knownDirectories[host] ?? host;
}

/** "8 s", "5 min", "3 h", "2 days". */
export function lengthInWords(ms: number): string {
  if (ms < 90_000) return `${Math.max(1, Math.round(ms / 1000))} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}

/** "2026-11-21 14:20 UTC". */
export function timeInWords(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** "one", "one and another", "one, another and a third". */
export function listInWords(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
