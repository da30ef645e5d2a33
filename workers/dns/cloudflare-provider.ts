/** The zone at Cloudflare. Nothing is retried here: the zone's object knows when to come back. */
import { BaseRecords, type RecordBatchParams } from "cloudflare/resources/dns/records";
import { createClient } from "cloudflare/tree-shakable";
import { z } from "zod";
import { providerErrorOf } from "./cloudflare-errors.ts";
import { cloudflareRecordSchema, contentOf, storedOf } from "./cloudflare-records.ts";
import { ProviderError, type DnsProvider, type NewRecord, type StoredRecord } from "./provider.ts";
import { keyOf, normaliseContent } from "./zone.ts";
import { readBytes } from "../../shared/bytes.ts";

/** What one batch may change on the Free plan; others allow 3,500. */
const maxBatch = 200;
/** Of 5,000,000 that the API allows: some 3 MB of answer. */
const recordsPerPage = 5_000;
const callTimeoutMs = 10_000;
const maxAnswerBytes = 16 * 1024 * 1024;

export interface CloudflareOptions {
  /** `https://api.cloudflare.com/client/v4` */
  readonly api: string;
  readonly zoneId: string;
  readonly token: string;
  readonly fetch: typeof globalThis.fetch;
  /** For a call as a whole. */
  readonly timeoutMs?: number;
}

export function createCloudflareProvider(options: CloudflareOptions): DnsProvider {
  const { api, zoneId, token, fetch, timeoutMs = callTimeoutMs } = options;
  const client = createClient({
    resources: [BaseRecords],
    apiToken: token,
    baseURL: api,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: "off",
    fetch: (input, init) => fetchWhole(fetch, input, init),
  });
  const { records } = client.dns;
  const zone = { zone_id: zoneId };

  const list = (query: { name?: { exact: string }; page?: number }): Promise<z.infer<typeof listSchema>> =>
    asking(async () =>
      listSchema.parse(await records.list({ ...zone, ...query, order: "name", per_page: recordsPerPage })),
    );

  return {
    maxBatch,
    async at(name) {
      const { result } = await list({ name: { exact: name } });
      return result.flatMap((record) => storedOf(record) ?? []).filter((record) => record.name === name);
    },
    async page(cursor) {
      const page = cursor === undefined ? 1 : Number(cursor);
      const { result, result_info: info } = await list({ page });
      const { total_pages: pages, per_page: perPage = recordsPerPage } = info ?? {};
      const isLast = pages === undefined ? result.length < perPage : page >= pages;
      return {
        records: result.flatMap((record) => storedOf(record) ?? []),
        next: isLast ? undefined : String(page + 1),
      };
    },
    apply: ({ deletes, posts }) =>
      asking(async () => {
        const answer = await records.batch({
          ...zone,
          deletes: deletes.map((id) => ({ id })),
          posts: posts.map((record) => paramsOf(record)),
        });
        return matchMade(posts, batchSchema.parse(answer).posts);
      }),
  };
}

const listSchema = z.object({
  result: z.array(cloudflareRecordSchema),
  result_info: z.object({ per_page: z.int().min(1).optional(), total_pages: z.int().min(0).optional() }).nullish(),
});

const batchSchema = z.object({ posts: z.array(cloudflareRecordSchema).nullish() });

type PostParams = NonNullable<RecordBatchParams["posts"]>[number];

function paramsOf({ name, type, content, ttl, comment }: NewRecord): PostParams {
  return { name, type, ttl, comment, proxied: false, ...contentOf({ type, content }) };
}

/** The records that were made, in the order they were asked for. An answer that lacks one leaves it open what happened. */
function matchMade(posts: readonly NewRecord[], answered: z.infer<typeof batchSchema>["posts"]): StoredRecord[] {
  const made = (answered ?? []).flatMap((record) => storedOf(record) ?? []);
  return posts.map((post) => {
    const key = keyOf({ type: post.type, content: normaliseContent(post) });
    const found = made.find((record) => record.name === post.name && keyOf(record) === key);
    if (!found) throw new ProviderError("unavailable", "Cloudflare's answer does not name every record that was made.");
    return { ...found, comment: found.comment || post.comment }; // without it the record would not be known as ours
  });
}

async function asking<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw providerErrorOf(error);
  }
}

/** Reads the whole answer, with a limit: the SDK's deadline holds until this returns, and not beyond. */
async function fetchWhole(
  fetch: typeof globalThis.fetch,
  input: Parameters<typeof globalThis.fetch>[0],
  init: RequestInit | undefined,
): Promise<Response> {
  const response = await fetch(input, init);
  const bytes = await readBytes(response, maxAnswerBytes);
  if (!bytes) throw new Error("the answer is too long");
  return new Response(bytes, { status: response.status, headers: response.headers });
}
