/**
 * What Cloudflare's Universal SSL does to CAA records (VA-26-183-01): while it is on, the zone's servers answer a
 * permissive set of Cloudflare's own in place of the records that were written, and the API shows nothing of it.
 */
import type { Override } from "./sight.ts";

const authorities = [
  "comodoca.com",
  "digicert.com; cansignhttpexchanges=yes",
  "letsencrypt.org",
  "pki.goog; cansignhttpexchanges=yes",
  "ssl.com",
];

/** `isEnabled` is asked at every look. That only names with CAA records of their own are touched is assumed. */
export const universalSslOverride =
  (isEnabled: () => boolean): Override =>
  (_name, written) => {
    const first = written.find(({ type }) => type === "CAA");
    if (!first || !isEnabled()) return undefined;
    const contents = ["issue", "issuewild"].flatMap((tag) => authorities.map((authority) => `0 ${tag} "${authority}"`));
    const served = contents.map((content) => Object.assign({}, first, { content, ttl: 300 }));
    return [...written.filter(({ type }) => type !== "CAA"), ...served];
  };
