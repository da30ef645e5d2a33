/** How the content of a record is written in Cloudflare's API, and what it means in DNS. */

const maxCharacterStringBytes = 255; // RFC 1035 §3.3

/**
 * The character strings of a TXT record. In quotes they are written one by one (RFC 1035 §5.1); without, the content is
 * the text itself, cut where it is too long for one. Undefined when the quotes do not match.
 */
export function characterStrings(content: string): string[] | undefined {
  if (!content.startsWith('"')) return cut(content);
  const strings: string[] = [];
  let rest = content.trim();
  while (rest !== "") {
    const [quoted, text] = /^"((?:[^"\\]|\\.)*)"\s*/s.exec(rest) ?? [];
    if (quoted === undefined || text === undefined) return undefined;
    strings.push(...cut(unescape(text)));
    rest = rest.slice(quoted.length);
  }
  return strings;
}

/** The text of a TXT record, its strings joined: what is compared. */
export const textOf = (content: string): string => (characterStrings(content) ?? [content]).join("");

export interface CaaData {
  readonly flags: number;
  readonly tag: string;
  readonly value: string;
}

/** `0 issue "ca.example; validationmethods=dns-01"`. Undefined when it is not that. */
export function parseCaa(content: string): CaaData | undefined {
  const [, flags, tag, value] = /^(\d{1,3}) ([a-zA-Z0-9]+) "([^"]*)"$/.exec(content.trim()) ?? [];
  if (flags === undefined || tag === undefined || value === undefined || Number(flags) > 255) return undefined;
  return { flags: Number(flags), tag: tag.toLowerCase(), value };
}

export const formatCaa = ({ flags, tag, value }: CaaData): string => `${flags} ${tag} "${value}"`;

function cut(text: string): string[] {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxCharacterStringBytes) return [text];
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += maxCharacterStringBytes) {
    parts.push(bytes.toString("utf8", at, at + maxCharacterStringBytes));
  }
  return parts;
}

const unescape = (text: string): string =>
  text.replaceAll(/\\(\d{3}|.)/gs, (_, escaped: string) =>
    escaped.length === 3 ? String.fromCharCode(Number(escaped)) : escaped,
  );
