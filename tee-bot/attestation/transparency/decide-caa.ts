/** What CAA records let others do, judged by the accounts that a node has attested. RFC 8659 §4.2, RFC 8657 §3. */
import { normaliseCaa, parseCaa } from "../../../shared/dns/caa.ts";

/** One sentence for each way in which somebody else could get a certificate; none when there is no such way. */
export function findCaaOpenings(contents: readonly string[], accounts: readonly string[]): string[] {
  const records = contents.flatMap((content) => parseCaa(content) ?? []);
  if (!records.some(({ tag }) => tag === "issue")) return ["No issue record stands there: every CA may issue."];
  const letting = records.filter(({ tag, issuer }) => (tag === "issue" || tag === "issuewild") && issuer !== "");
  return letting.flatMap(({ issuer, parameters }) => {
    const account = parameters["accounturi"];
    if (account === undefined) return [`${issuer} may issue for any account.`];
    return accounts.includes(account) ? [] : [`${issuer} may issue for an account that is not attested: ${account}.`];
  });
}

/** Records in one spelling and order, so that equal sets compare as equal. */
export function normaliseCaaSet(contents: readonly string[]): string[] {
  return [...new Set(contents.map(normaliseCaa))].toSorted();
}
