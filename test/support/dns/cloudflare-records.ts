/**
 * The rules of Cloudflare's records, for the stand-in of its API: what it takes, what it refuses and with which code,
 * how it shows a record. From its documentation: field names, TTLs of 60 to 86400 or 1, batches of 200 on Free, names
 * completed with the zone, comments of 100 characters on Free. Seen in public bug reports: 81058, 81044, 81045, 1004 with
 * a chain, 9300, TXT content shown as it was written. Marked below: what is assumed.
 */
import { isIPv4, isIPv6 } from "node:net";
import { characterStrings, formatCaa, parseCaa, textOf } from "./record-content.ts";
import type { ZoneRecord } from "./zone-store.ts";

export interface ApiError {
  readonly code: number;
  readonly message: string;
  readonly error_chain?: readonly { readonly code: number; readonly message: string }[];
}

/** A refusal, answered as `{ success: false, errors: [{ code, message }] }`. */
export class CloudflareFailure extends Error {
  readonly status: 400 | 401 | 403 | 404 | 405;
  readonly error: ApiError;

  constructor(status: CloudflareFailure["status"], code: number, message: string, chain?: ApiError["error_chain"]) {
    super(`${code} ${message}`);
    this.status = status;
    this.error = chain ? { code, message, error_chain: chain } : { code, message };
  }
}

/** The fields of a record as they come in a request. */
export interface RecordInput {
  readonly type?: unknown;
  readonly name?: unknown;
  readonly content?: unknown;
  readonly data?: unknown;
  readonly ttl?: unknown;
  readonly proxied?: unknown;
  readonly comment?: unknown;
  readonly tags?: unknown;
}

export type RecordFields = Pick<ZoneRecord, "type" | "name" | "content" | "ttl" | "proxied" | "comment" | "tags">;

/** Records that one batch may change, on the Free plan. */
export const batchLimit = 200;
const maxCommentCharacters = 100;
const maxNameCharacters = 255;
const types = new Set(["A", "AAAA", "CAA", "CNAME", "NS", "TXT"]);

/** What a request asks for, completed with the zone's name; throws the refusal. */
export function readFields(input: RecordInput, zone: string): RecordFields {
  const { type, name, ttl = 1, proxied = false, comment = null, tags = [] } = input;
  if (typeof type !== "string" || !types.has(type)) throw refusal(9999, "DNS record type is invalid."); // code assumed
  if (typeof name !== "string" || name === "" || name.length > maxNameCharacters) {
    throw refusal(9000, "DNS name is invalid.");
  }
  if (typeof ttl !== "number" || (ttl !== 1 && (ttl < 60 || ttl > 86_400))) {
    throw refusal(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic."); // code assumed
  }
  if (comment !== null && (typeof comment !== "string" || comment.length > maxCommentCharacters)) {
    throw refusal(9301, `DNS record comment exceeds the quota of ${maxCommentCharacters} characters.`); // code assumed
  }
  if (!Array.isArray(tags) || tags.length > 0) {
    throw refusal(9300, `DNS record has ${(tags as unknown[]).length} tags, exceeding the quota of 0.`);
  }
  const content = readContent(type, input);
  return { type, name: completed(name, zone), content, ttl, proxied: proxied === true, comment, tags: [] };
}

function readContent(type: string, { content, data }: RecordInput): string {
  if (type === "CAA") return readCaaData(data);
  if (typeof content !== "string" || content === "") throw refusal(9020, "Content is required."); // code assumed
  if (type === "A" && !isIPv4(content)) throw refusal(9005, "Content for A record must be a valid IPv4 address.");
  if (type === "AAAA" && !isIPv6(content)) {
    throw refusal(9006, "Content for AAAA record must be a valid IPv6 address."); // code assumed
  }
  if (type === "TXT" && !characterStrings(content)) throw refusal(9207, "Content for TXT record is invalid."); // code assumed
  return content;
}

function readCaaData(data: unknown): string {
  const { flags, tag, value } = (data ?? {}) as Record<string, unknown>;
  if (typeof flags !== "number") throw refusal(9101, "flags is a required data field."); // code assumed
  if (typeof tag !== "string") throw refusal(9101, "tag is a required data field.");
  if (typeof value !== "string") throw refusal(9101, "value is a required data field.");
  const content = formatCaa({ flags, tag, value });
  if (!parseCaa(content)) throw refusal(9102, "The CAA data is invalid."); // code assumed
  return content;
}

/** The refusal that adding `fields` beside `others`, the records of its name, meets. */
export function refuseConflict(fields: RecordFields, others: readonly ZoneRecord[]): void {
  if (others.some((other) => isIdentical(fields, other))) {
    throw new CloudflareFailure(400, 81058, "An identical record already exists.");
  }
  const isHost = (type: string): boolean => type === "A" || type === "AAAA" || type === "CNAME";
  const aliased = others.some(
    ({ type }) => isHost(type) && isHost(fields.type) && (type === "CNAME" || fields.type === "CNAME"),
  );
  if (aliased) {
    throw new CloudflareFailure(400, 81053, "An A, AAAA, or CNAME record with that host already exists.");
  }
}

/** That quotes do not count is assumed. */
function isIdentical(fields: RecordFields, other: ZoneRecord): boolean {
  if (fields.type !== other.type || fields.name !== other.name) return false;
  return fields.type === "TXT" ? textOf(fields.content) === textOf(other.content) : fields.content === other.content;
}

/** How TXT content is shown: as it was written (what is reported of the API), or quoted (what the dashboard makes of it). */
export type TxtContent = "as-written" | "quoted";

/** A record as the API shows it. */
export function showRecord(record: ZoneRecord, txtContent: TxtContent): Record<string, unknown> {
  const { id, name, type, ttl, proxied, comment, tags, createdAt, modifiedAt } = record;
  const quoted = type === "TXT" && txtContent === "quoted" && !record.content.startsWith('"');
  const data = type === "CAA" ? parseCaa(record.content) : undefined;
  return {
    id,
    name,
    type,
    content: quoted ? JSON.stringify(record.content) : record.content,
    proxiable: type === "A" || type === "AAAA" || type === "CNAME",
    proxied,
    ttl,
    settings: {},
    meta: {},
    comment,
    tags: [...tags],
    created_on: new Date(createdAt).toISOString(),
    modified_on: new Date(modifiedAt).toISOString(),
    ...(data && { data }),
  };
}

const completed = (name: string, zone: string): string => {
  const lower = name.toLowerCase().replace(/\.$/, "");
  if (lower === "@" || lower === zone) return zone;
  return lower.endsWith(`.${zone}`) ? lower : `${lower}.${zone}`;
};

const refusal = (code: number, message: string): CloudflareFailure =>
  new CloudflareFailure(400, 1004, "DNS Validation Error", [{ code, message }]);
