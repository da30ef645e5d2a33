/** Whether CAA records let a CA issue (RFC 8659, with the parameters of RFC 8657): what a public CA decides. */
import type { CaaData } from "../dns/record-content.ts";

export interface Issuance {
  /** Of the CA: the domains it goes by. */
  readonly identities: readonly string[];
  readonly accountUri: string | undefined;
  /** By which the name was validated; undefined when that is not known. */
  readonly method: string | undefined;
  readonly wildcard: boolean;
}

const knownTags = new Set(["issue", "issuewild", "iodef"]);
const criticalFlag = 128;

/** The reason for a refusal, or undefined. `records` is the relevant RRset: that of the name or of its next parent. */
export function refuseByCaa(records: readonly CaaData[], issuance: Issuance): string | undefined {
  const critical = records.find(({ flags, tag }) => (flags & criticalFlag) !== 0 && !knownTags.has(tag));
  if (critical) return `CAA has the critical property ${critical.tag}, which is unknown.`;
  const wild = issuance.wildcard ? records.filter(({ tag }) => tag === "issuewild") : [];
  const properties = wild.length > 0 ? wild : records.filter(({ tag }) => tag === "issue");
  if (properties.length === 0) return undefined;
  return properties.some(({ value }) => permits(value, issuance))
    ? undefined
    : `CAA forbids it: ${properties.map(({ tag, value }) => `${tag} "${value}"`).join(", ")}`;
}

function permits(value: string, { identities, accountUri, method }: Issuance): boolean {
  const [domain = "", ...parameters] = value.split(";").map((part) => part.trim());
  if (!identities.includes(domain.toLowerCase())) return false;
  return parameters
    .filter((parameter) => parameter !== "")
    .every((parameter) => {
      const [key = "", ...rest] = parameter.split("=");
      const wanted = rest.join("=").trim();
      if (key.trim() === "accounturi") return wanted === accountUri;
      if (key.trim() === "validationmethods") return method === undefined || wanted.split(",").includes(method);
      return true;
    });
}
