import { AppError } from "../errors.ts";
import { labelOfNodeId, nodeIdOfLabel, type NodeId } from "./node-id.ts";

export const maxAliasLength = 40; // an alias can then never be mistaken for a 52-character id
export const minAliasLength = 2;

/** Labels nobody may claim: they would pass for the service itself, or mean something to mail, DNS or ACME. */
const reservedLabels = new Set(
  (
    "www api app apps edge relay relays node nodes admin administrator root system status health healthz metrics " +
    "dashboard control console login auth account accounts billing support help security abuse postmaster hostmaster " +
    "webmaster mail smtp imap pop pop3 mx ns dns autoconfig autodiscover wpad localhost local internal acme ca cdn " +
    "static assets docs blog download downloads test staging dev postern official verify attestation inbox hooks ws"
  ).split(" "),
);
const reservedPatterns = [/^relay/, /^edge/, /^ns\d+$/, /^mx\d+$/];

/** Refuses, with the reason, an alias that may not be claimed. Returns it unchanged: nothing is normalised silently. */
export function parseAlias(text: string): string {
  const refuse = (detail: string): never => {
    throw new AppError("name-invalid", detail);
  };
  if (text.length > 63) refuse("A DNS label has at most 63 characters.");
  if (/[^\x20-\x7e]/.test(text))
    refuse("Only the letters a-z, digits and hyphens; names in other scripts are refused.");
  if (/[A-Z]/.test(text)) refuse("Use lower case.");
  if (!/^[a-z0-9-]+$/.test(text)) refuse("Only the letters a-z, digits and hyphens.");
  if (text.startsWith("-") || text.endsWith("-")) refuse("A name neither begins nor ends with a hyphen.");
  if (text.slice(2, 4) === "--")
    refuse("Two hyphens in third and fourth place mark an encoded name (xn--), which is refused.");
  if (text.length < minAliasLength) refuse(`An alias has at least ${minAliasLength} characters.`);
  if (text.length > maxAliasLength) refuse(`An alias has at most ${maxAliasLength} characters.`);
  if (reservedLabels.has(text) || reservedPatterns.some((pattern) => pattern.test(text)))
    throw new AppError("name-reserved", `"${text}" is kept for the service itself; choose another name.`);
  return text;
}

/** `<52 characters>.<zone>`: the name that proves its own owner. */
export function idHostname(id: NodeId, zone: string): string {
  return `${labelOfNodeId(id)}.${zone}`;
}

/** The label of a host name directly below the zone, in lower case; undefined for any other name. */
export function labelBelow(hostname: string, zone: string): string | undefined {
  const name = hostname.toLowerCase();
  if (!name.endsWith(`.${zone}`)) return undefined;
  const label = name.slice(0, -zone.length - 1);
  return label === "" || label.includes(".") ? undefined : label;
}

export type ParsedHostname = { kind: "id"; node: NodeId } | { kind: "alias"; alias: string };

/** What a host name of the zone means, or undefined when it is not directly below the zone. Case does not matter. */
export function parseHostname(hostname: string, zone: string): ParsedHostname | undefined {
  const label = labelBelow(hostname, zone);
  if (label === undefined) return undefined;
  const node = nodeIdOfLabel(label);
  return node ? { kind: "id", node } : { kind: "alias", alias: label };
}
