/** Records as Cloudflare's API takes and shows them. */
import { z } from "zod";
import type { StoredRecord } from "./provider.ts";
import { normaliseContent } from "./zone.ts";
import { formatCaa, parseCaaParts } from "../../shared/dns/caa.ts";
import type { DnsRecord } from "../../shared/dns/record.ts";

const maxCharacterString = 255; // RFC 1035 §3.3
const automaticTtl = 1;
/** Means the same with and without quotes: a challenge's value does. */
const plainText = /^[\w-]{1,255}$/;

export const cloudflareRecordSchema = z.object({
  id: z.string().min(1),
  name: z.string(),
  type: z.string(),
  content: z.string().nullish(),
  ttl: z.number().nullish(),
  proxied: z.boolean().nullish(),
  comment: z.string().nullish(),
  data: z.unknown().optional(),
});

const caaDataSchema = z.object({ flags: z.coerce.number(), tag: z.string(), value: z.string() });

/** Undefined for types that Postern has nothing to do with. */
export function storedOf(record: z.infer<typeof cloudflareRecordSchema>): StoredRecord | undefined {
  const { id, type, ttl, proxied, comment } = record;
  if (type !== "A" && type !== "AAAA" && type !== "TXT" && type !== "CAA") return undefined;
  const caa = type === "CAA" ? caaDataSchema.safeParse(record.data).data : undefined;
  const shown = record.content ?? "";
  const content = type === "TXT" ? unquote(shown) : caa ? formatCaa(caa) : shown;
  return {
    id,
    name: record.name.toLowerCase(),
    type,
    content: normaliseContent({ type, content }),
    // A record that somebody has set to be proxied leads elsewhere than it says: it is not as it is wanted.
    ttl: proxied ? automaticTtl : (ttl ?? automaticTtl),
    comment: comment ?? "",
  };
}

/** What a record holds, in the fields that the API wants for its type. */
export function contentOf({ type, content }: Pick<DnsRecord, "type" | "content">): object {
  if (type === "TXT") return { content: plainText.test(content) ? content : quote(content) };
  const caa = type === "CAA" ? parseCaaParts(content) : undefined;
  return caa ? { data: caa } : { content };
}

/** RFC 1035 §5.1: character strings in quotes, a backslash before a quote or a backslash. */
function quote(text: string): string {
  const parts = text.match(new RegExp(`[\\s\\S]{1,${maxCharacterString}}`, "g")) ?? [""];
  return parts.map((part) => `"${part.replaceAll(/["\\]/g, "\\$&")}"`).join(" ");
}

function unquote(shown: string): string {
  if (!shown.startsWith('"')) return shown;
  const strings = [...shown.matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, text = ""]) => text);
  return strings.join("").replaceAll(/\\(.)/gs, "$1");
}
