/** The stand-in of Cloudflare's API as Cloudflare's own client sees it, unmodified. */
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "cloudflare";
import { BaseRecords, type RecordResponse } from "cloudflare/resources/dns/records";
import { createClient } from "cloudflare/tree-shakable";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  cloudflareFault,
  startCloudflareApi,
  tooManyRequests,
  type CloudflareApi,
} from "../support/dns/cloudflare-api.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";
import { htmlPage } from "../support/faults.ts";

const zone = "nodes.example.test";
const name = `_acme-challenge.a.${zone}`;
const missing = "0".repeat(32);
let store: ZoneStore;
let api: CloudflareApi;

beforeEach(async () => {
  store = new ZoneStore(zone);
  api = await startCloudflareApi(store);
});
afterEach(() => api[Symbol.asyncDispose]());

const records = (token = api.token) =>
  createClient({ resources: [BaseRecords], baseURL: api.url, apiToken: token, maxRetries: 0, timeout: 400 }).dns
    .records;

const createTxt = (content: string, at = name): Promise<RecordResponse> =>
  records().create({ zone_id: api.zoneId, type: "TXT", name: at, content, ttl: 60, comment: "postern a" });

async function list(filter: object): Promise<string[]> {
  const found: string[] = [];
  for await (const { content } of records().list({ zone_id: api.zoneId, ...filter })) found.push(content ?? "");
  return found;
}

/** The error of a call: its class is Cloudflare's own. */
async function errorOf(call: PromiseLike<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  return undefined;
}

test("a record is made, changed, read and removed, and DNS sees each of it", async () => {
  const made = await createTxt('"one"');
  expect(made).toMatchObject({ name, type: "TXT", content: '"one"', ttl: 60, proxied: false, proxiable: false });
  expect(made.id).toMatch(/^[0-9a-f]{32}$/);
  const zone_id = api.zoneId;
  await records().edit(made.id, { zone_id, type: "TXT", name, content: '"two"', ttl: 120 });
  expect(await records().get(made.id, { zone_id })).toMatchObject({ content: '"two"', ttl: 120, comment: "postern a" });
  expect(store.now().at(name)).toMatchObject([{ content: '"two"' }]);
  expect(await records().delete(made.id, { zone_id })).toEqual({ id: made.id });
  expect(store.size).toBe(0);
});

test("a CAA record is written as data and shown as content too, also after an edit without data", async () => {
  const data = { flags: 0, tag: "issue", value: "ca.example.test; validationmethods=dns-01" };
  const content = `0 issue "${data.value}"`;
  const zone_id = api.zoneId;
  const made = await records().create({ zone_id, type: "CAA", name: `a.${zone}`, data, ttl: 60 });
  expect(made).toMatchObject({ content, data });
  const edited = await records().edit(made.id, { zone_id, type: "CAA", name: `a.${zone}`, ttl: 1 });
  expect(edited).toMatchObject({ content, data, ttl: 1 });
});

test("a list comes in pages and can be filtered", async () => {
  for (let i = 0; i < 5; i++) await createTxt(`value-${i}`);
  await createTxt("other", `b.${zone}`);
  expect((await list({ per_page: 2 })).toSorted()).toEqual([
    "other",
    "value-0",
    "value-1",
    "value-2",
    "value-3",
    "value-4",
  ]);
  expect(api.faults.count("GET /dns_records")).toBeGreaterThanOrEqual(3);
  expect(await list({ name: { exact: `B.${zone}` } })).toEqual(["other"]);
  expect(await list({ name: { startswith: "_acme-challenge." }, content: { exact: "value-3" } })).toEqual(["value-3"]);
  expect(await list({ name: { startswith: "b." } })).toEqual(["other"]);
  expect(await list({ type: "A" })).toEqual([]);
  expect(await list({ comment: { startswith: "postern" }, order: "content", direction: "desc", per_page: 1 })).toEqual([
    "value-4",
    "value-3",
    "value-2",
    "value-1",
    "value-0",
    "other",
  ]);
});

test("a batch deletes before it adds, and is done whole or not at all", async () => {
  const { id } = await createTxt("old");
  const post = (content: string) => ({ type: "TXT" as const, name, content, ttl: 60 });
  const zone_id = api.zoneId;
  const done = await records().batch({ zone_id, deletes: [{ id }], posts: [post("old"), post("new")] });
  expect(done).toMatchObject({ deletes: [{ id }], posts: [{ content: "old" }, { content: "new" }] });
  const before = store.now().all();

  const failed = await errorOf(records().batch({ zone_id, posts: [post("newer"), post("new")] }));
  expect(failed).toBeInstanceOf(BadRequestError);
  expect(failed).toMatchObject({ status: 400, errors: [{ code: 81058 }] });
  const gone = await errorOf(records().batch({ zone_id, deletes: [{ id: missing }], posts: [post("newer")] }));
  expect(gone).toBeInstanceOf(NotFoundError);
  const posts = Array.from({ length: 201 }, (_, index) => post(`many-${index}`));
  expect(await errorOf(records().batch({ zone_id, posts }))).toBeInstanceOf(BadRequestError);
  expect(store.now().all()).toEqual(before);
});

test("identical records are refused, whether their text is quoted or not", async () => {
  await createTxt("value");
  expect(await errorOf(createTxt('"value"'))).toMatchObject({ status: 400, errors: [{ code: 81058 }] });
});

test("a record that is not there is told as such", async () => {
  const error = await errorOf(records().delete(missing, { zone_id: api.zoneId }));
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error).toMatchObject({ status: 404, errors: [{ code: 81044 }] });
});

test("a zone that is full takes no more", async () => {
  api.recordQuota = 1;
  await createTxt("one");
  expect(await errorOf(createTxt("two"))).toMatchObject({ status: 400, errors: [{ code: 81045 }] });
});

test("content, TTL and comment are checked", async () => {
  const create = (record: object) =>
    errorOf(records().create({ zone_id: api.zoneId, type: "A", name: "x", content: "192.0.2.1", ttl: 60, ...record }));
  const chain = (code: number) => ({ status: 400, errors: [{ code: 1004, error_chain: [{ code }] }] });
  expect(await create({ content: "nowhere" })).toMatchObject(chain(9005));
  expect(await create({ ttl: 30 })).toMatchObject(chain(9021));
  expect(await create({ comment: "x".repeat(101) })).toMatchObject(chain(9301));
  expect(await create({ tags: ["a:b"] })).toMatchObject(chain(9300));
  expect(await create({})).toBeUndefined();
  expect(store.now().all()).toMatchObject([{ name: `x.${zone}` }]);
});

test("a token without rights, an unknown one and one that is none are told apart", async () => {
  const all = (token: string) => errorOf(records(token).list({ zone_id: api.zoneId }));
  expect(await all("x".repeat(40))).toBeInstanceOf(PermissionDeniedError);
  expect(await all("not a token")).toMatchObject({
    status: 400,
    errors: [{ code: 6003, error_chain: [{ code: 6111 }] }],
  });
  api.rights = "read";
  expect(await list({})).toEqual([]);
  expect(await errorOf(createTxt("value"))).toMatchObject({ status: 403, errors: [{ code: 10000 }] });
  api.rights = "none";
  expect(await all(api.token)).toMatchObject({ status: 403, errors: [{ code: 10000 }] });
});

test("the token and the zone can be asked for", async () => {
  const get = async (path: string, token = api.token) => {
    const response = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, body: await response.json() };
  };
  expect(await get("/user/tokens/verify")).toMatchObject({ status: 200, body: { result: { status: "active" } } });
  expect(await get("/user/tokens/verify", "x".repeat(40))).toMatchObject({ status: 401, body: { success: false } });
  expect(await get(`/zones/${api.zoneId}`)).toMatchObject({ body: { result: { id: api.zoneId, name: zone } } });
  expect(await get(`/zones?name=${zone}`)).toMatchObject({ body: { result: [{ id: api.zoneId }] } });
  expect(await get("/zones?name=other.test")).toMatchObject({ body: { result: [] } });
  expect(await get(`/zones/${missing}`)).toMatchObject({ status: 404, body: { errors: [{ code: 7003 }] } });
  const ssl = `/zones/${api.zoneId}/ssl/universal/settings`;
  expect(await get(ssl)).toMatchObject({ body: { result: { enabled: false } } });
  api.sslRights = false;
  expect(await get(ssl)).toMatchObject({ status: 403, body: { errors: [{ code: 10000 }] } });
});

test("every trouble of the API reaches the client as an error of its own", async () => {
  api.faults.inject("GET /dns_records", tooManyRequests(7));
  api.faults.inject("GET /dns_records", cloudflareFault(503));
  api.faults.inject("GET /dns_records", htmlPage(502));
  api.faults.inject("GET /dns_records", { kind: "truncate" });
  api.faults.inject("GET /dns_records", { kind: "drop", when: "before" });
  api.faults.inject("GET /dns_records", { kind: "silence", when: "before" });
  api.faults.inject("GET /dns_records", cloudflareFault(401));
  const ask = () => errorOf(records().list({ zone_id: api.zoneId }));
  const limited = await ask();
  expect(limited).toBeInstanceOf(RateLimitError);
  expect((limited as RateLimitError).headers.get("retry-after")).toBe("7");
  expect(await ask()).toBeInstanceOf(InternalServerError);
  expect(await ask()).toMatchObject({ status: 502 });
  expect(await ask()).toBeInstanceOf(Error);
  expect(await ask()).toBeInstanceOf(APIConnectionError);
  expect(await ask()).toBeInstanceOf(APIConnectionTimeoutError);
  expect(await ask()).toBeInstanceOf(AuthenticationError);
  expect(await ask()).toBeUndefined();
});

test("a change whose answer is lost has been made", async () => {
  api.faults.inject("POST /dns_records", { kind: "drop", when: "after" });
  expect(await errorOf(createTxt("value"))).toBeInstanceOf(APIConnectionError);
  expect(store.now().at(name)).toHaveLength(1);
});

test("lists can lag behind what was written, single records do not", async () => {
  api.listLagMs = 60_000;
  const { id } = await createTxt("value");
  expect(await list({})).toEqual([]);
  expect(await records().get(id, { zone_id: api.zoneId })).toMatchObject({ content: "value" });
  api.listLagMs = 0;
  expect(await list({})).toEqual(["value"]);
});

test("TXT content is shown as it was written, or quoted", async () => {
  await createTxt("bare");
  expect(await list({})).toEqual(["bare"]);
  api.txtContent = "quoted";
  expect(await list({})).toEqual(['"bare"']);
});
