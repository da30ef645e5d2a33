/** The filters, order and pages of Cloudflare's list of records, as its documentation has them. */
import type { ZoneRecord } from "./zone-store.ts";

export interface RecordList {
  readonly records: readonly ZoneRecord[];
  readonly page: number;
  readonly perPage: number;
  readonly totalCount: number;
}

const defaultPerPage = 100;
const maxPerPage = 5_000_000;

/** That name, content and comment are compared without regard to case is documented. */
export function listRecords(all: readonly ZoneRecord[], query: URLSearchParams): RecordList {
  const filters = [...query].flatMap(([key, value]) => filterOf(key, value.toLowerCase()) ?? []);
  const any = query.get("match") === "any";
  const matching = all.filter((record) =>
    any && filters.length > 0 ? filters.some((filter) => filter(record)) : filters.every((filter) => filter(record)),
  );
  const sorted = matching.toSorted(comparison(query.get("order") ?? "type", query.get("direction") === "desc"));
  const page = Math.max(1, Number(query.get("page") ?? 1));
  const perPage = Math.min(maxPerPage, Math.max(1, Number(query.get("per_page") ?? defaultPerPage)));
  const from = (page - 1) * perPage;
  return { records: sorted.slice(from, from + perPage), page, perPage, totalCount: matching.length };
}

function filterOf(key: string, wanted: string): ((record: ZoneRecord) => boolean) | undefined {
  const [field = "", how = "exact"] = key.split(".");
  switch (field) {
    case "name":
    case "content":
    case "comment":
      return (record) => compare((record[field] ?? "").toLowerCase(), how, wanted);
    case "type":
      return (record) => record.type.toLowerCase() === wanted;
    case "proxied":
      return (record) => String(record.proxied) === wanted;
    case "search":
      return ({ name, content }) => name.includes(wanted) || content.toLowerCase().includes(wanted);
    default:
      return undefined;
  }
}

function compare(value: string, how: string, wanted: string): boolean {
  switch (how) {
    case "startswith":
      return value.startsWith(wanted);
    case "endswith":
      return value.endsWith(wanted);
    case "contains":
      return value.includes(wanted);
    case "present":
      return value !== "";
    case "absent":
      return value === "";
    default:
      return value === wanted;
  }
}

function comparison(order: string, descending: boolean): (a: ZoneRecord, b: ZoneRecord) => number {
  const key = (record: ZoneRecord): string => {
    const value = { type: record.type, name: record.name, content: record.content, ttl: record.ttl }[order];
    return `${String(value ?? record.type)}\0${record.name}\0${record.id}`;
  };
  return (a, b) => (key(a) < key(b) ? -1 : 1) * (descending ? -1 : 1);
}
