/** Who else could get a certificate for the name: the accounts that the quote names, and what CAA records let in. */
import { failed, pass, skip, type Check } from "../../../../shared/attestation/check.ts";
import type { Keyset } from "../../../../shared/attestation/keyset.ts";
import { parseCaa } from "../../../../shared/dns/caa.ts";
import type { SeenCaa } from "../observation.ts";

/** The checks `acme-account` and `caa`. `keyset` is undefined where the quote does not bind the one that was shown. */
export function judgeCertification(keyset: Keyset | undefined, dns: SeenCaa): Check[] {
  const accounts = keyset?.acme_accounts ?? [];
  if (accounts.length === 0) {
    const why = keyset ? "The keyset names no ACME account." : "The quote binds no keyset.";
    return [skip("acme-account", why), skip("caa", `${why} So CAA records have nothing to be compared with.`)];
  }
  return [pass("acme-account", `The quote binds ${accounts.join(", ")}.`), judgeCaaRecords(accounts, dns)];
}

/** RFC 8659 §4.2, §4.3; RFC 8657 §3: a record without `accounturi` lets every account of its CA in. */
function judgeCaaRecords(accounts: readonly string[], dns: SeenCaa): Check {
  if (dns.state === "unknown") return skip("caa", dns.problem);
  const { at, resolver } = dns;
  const records = dns.contents.flatMap((content) => parseCaa(content) ?? []);
  const issuing = records.filter(({ tag }) => tag === "issue" || tag === "issuewild");
  if (!issuing.some(({ tag }) => tag === "issue"))
    return failed("caa", `${resolver} sees no CAA record that says who may issue for ${at}, so every CA may.`);
  const known = new Set(accounts);
  const letting = issuing.filter(({ issuer }) => issuer !== "");
  const foreign = letting.filter(({ parameters }) => !known.has(decodeUri(parameters["accounturi"] ?? "")));
  if (foreign.length === 0)
    return pass("caa", `CAA records at ${at} let in these accounts only, as ${resolver} sees it.`);
  const who = foreign.map(({ issuer, parameters }) =>
    parameters["accounturi"] === undefined ? `any account of ${issuer}` : parameters["accounturi"],
  );
  return failed("caa", `CAA records at ${at} let in others too: ${[...new Set(who)].join(", ")}.`);
}

/** What stands in a record is percent-encoded where the form does not allow a character. */
function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
