/** CAA records: which CA may issue for a name, by which method and for which account. RFC 8659, RFC 8657. */
import type { DnsRecord } from "./record.ts";
import type { Trouble } from "../acme/ports.ts";
import type { AccountBinding } from "../registry/messages.ts";

export interface Caa {
  /** Bit 7: a CA that does not know the tag must not issue (RFC 8659 §4.1). */
  readonly critical: boolean;
  /** Lower case: `issue`, `issuewild`, `iodef`… */
  readonly tag: string;
  /** Lower case; empty when no CA may issue. */
  readonly issuer: string;
  /** `accounturi`, `validationmethods`; lower-case names. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Long enough for caches, short enough that another CA can be let in within minutes. */
const caaTtlSeconds = 300;
const criticalFlag = 0x80;
/** RFC 8659 §4.2: what the value of a parameter cannot hold; a backslash means something to some servers. */
const notInParameter = /[^\x21-\x7e]|[;"\\]/g;

/** The CAA records of a name: these accounts, by these methods, and nobody else. */
export function wantedCaa(name: string, bindings: readonly AccountBinding[]): DnsRecord[] {
  const contents = bindings.map(
    ({ ca, accountUri, methods }) =>
      `0 issue "${ca}; validationmethods=${methods.join(",")}; accounturi=${accountUri.replaceAll(notInParameter, encodeURIComponent)}"`,
  );
  return [...new Set(contents)].map((content) => ({ name, type: "CAA", content, ttl: caaTtlSeconds }));
}

/** The three parts of a record's content (RFC 8659 §4.1.1). */
export interface CaaParts {
  readonly flags: number;
  readonly tag: string;
  readonly value: string;
}

/** Reads `0 issue "ca.example; accounturi=…"`. Undefined when it is not of that form. */
export function parseCaaParts(content: string): CaaParts | undefined {
  const [, flags, tag, value] = /^(\d{1,3}) ([a-zA-Z0-9]{1,255}) "(.*)"$/s.exec(content) ?? [];
  if (flags === undefined || tag === undefined || value === undefined || Number(flags) > 255) return undefined;
  return { flags: Number(flags), tag: tag.toLowerCase(), value };
}

export function formatCaa({ flags, tag, value }: CaaParts): string {
  return `${flags} ${tag} "${value}"`;
}

/** What a record means. Undefined when it is not of that form. */
export function parseCaa(content: string): Caa | undefined {
  const parts = parseCaaParts(content);
  if (!parts) return undefined;
  const [issuer = "", ...rest] = parts.value.split(";").map((part) => part.trim());
  const parameters: Record<string, string> = {};
  for (const part of rest) {
    const [, key, text] = /^([a-zA-Z0-9-]+)\s*=\s*(.*)$/s.exec(part) ?? [];
    if (key !== undefined && text !== undefined) parameters[key.toLowerCase()] = text;
  }
  return { critical: (parts.flags & criticalFlag) !== 0, tag: parts.tag, issuer: issuer.toLowerCase(), parameters };
}

/** A record's meaning in one form, so that two spellings of it compare as equal. */
export function normaliseCaa(content: string): string {
  const caa = parseCaa(content);
  if (!caa) return content;
  const parameters = Object.entries(caa.parameters)
    .map(([key, value]) => `; ${key}=${value}`)
    .toSorted();
  return `${caa.critical ? criticalFlag : 0} ${caa.tag} "${caa.issuer}${parameters.join("")}"`;
}

/**
 * Compares what the Internet sees for a name (`effective`, CAA contents) with what should stand there. Undefined when
 * nothing is wrong.
 */
export function judgeCaa(wanted: readonly DnsRecord[], effective: readonly string[]): Trouble | undefined {
  const name = wanted[0]?.name;
  if (name === undefined) return undefined;
  const seen = new Set(effective.map(normaliseCaa));
  const missing = wanted.filter(({ content }) => !seen.has(normaliseCaa(content)));
  const expected = new Set(wanted.map(({ content }) => normaliseCaa(content)));
  const foreign = effective.flatMap((content) =>
    expected.has(normaliseCaa(content)) ? [] : (parseCaa(content) ?? []),
  );
  const letting = foreign.filter(({ tag, issuer }) => (tag === "issue" || tag === "issuewild") && issuer !== "");
  const open = letting.filter(({ parameters }) => parameters["accounturi"] === undefined);

  if (open.length > 0)
    return {
      detail: `The CAA records that the Internet sees for ${name} are not Postern's: ${listOf(open)} may issue for any account.`,
      remedy:
        "If the zone is at Cloudflare, turn off Universal SSL (SSL/TLS → Edge Certificates) and any Advanced Certificate Manager " +
        "certificate for it: with them Cloudflare answers with CAA records of its own (CVE-2026-14440). Else remove these records.",
    };
  if (letting.length > 0)
    return {
      detail: `CAA records for ${name} let other accounts issue too: ${listOf(letting)}.`,
      remedy: `Remove the CAA records at ${name} that Postern has not written.`,
    };
  if (missing.length > 0 && effective.length === 0)
    return {
      detail: `The Internet sees no CAA record for ${name}: every CA may issue for it.`,
      remedy: "Wait some minutes for DNS; if it stays, look whether the zone's servers answer for CAA records at all.",
    };
  if (missing.length > 0)
    return {
      detail: `The Internet sees ${wanted.length - missing.length} of ${wanted.length} CAA records of ${name}: the others' CAs would refuse to issue.`,
      remedy:
        "Wait some minutes for DNS; if it stays, look for CAA records at a name above, and for a second provider of the zone.",
    };
  return undefined;
}

const listOf = (records: readonly Caa[]): string =>
  [...new Set(records.map(({ issuer }) => issuer))].toSorted().join(", ");
