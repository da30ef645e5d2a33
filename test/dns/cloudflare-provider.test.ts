import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { describeProvider } from "./provider-behaviour.ts";
import {
  cloudflareFault,
  startCloudflareApi,
  tooManyRequests,
  type CloudflareApi,
} from "../support/dns/cloudflare-api.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";
import { htmlPage, type Fault } from "../support/faults.ts";
import { createCloudflareProvider, type CloudflareOptions } from "../../workers/dns/cloudflare-provider.ts";
import { ProviderError, type DnsProvider, type NewRecord } from "../../workers/dns/provider.ts";

const zone = "nodes.example.test";
const post: NewRecord = { name: `a.${zone}`, type: "A", content: "192.0.2.1", ttl: 60, comment: "postern 0" };
const zoneStore = new ZoneStore(zone);
let api: CloudflareApi;

beforeAll(async () => {
  api = await startCloudflareApi(zoneStore);
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  for (const { id } of zoneStore.now().all()) zoneStore.remove(id);
  api.faults.clear();
  api.faults.seen.length = 0;
  Object.assign(api, { rights: "edit", recordQuota: Number.POSITIVE_INFINITY, txtContent: "as-written" });
});

const options = (): CloudflareOptions => ({ api: api.url, zoneId: api.zoneId, token: api.token, fetch });
const provider = (part: Partial<CloudflareOptions> = {}): DnsProvider =>
  createCloudflareProvider({ ...options(), ...part });

async function failureOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}

describe("a zone at Cloudflare", () => {
  describeProvider((check) => check({ provider: provider(), zone }));
});

describe("records at Cloudflare", () => {
  test("are not proxied, and TXT is written in quotes where it needs them", async () => {
    const texts = ["a-challenge_value", "two words"].map((content): NewRecord =>
      Object.assign({}, post, { type: "TXT", content }),
    );
    await provider().apply({ deletes: [], posts: [post, ...texts] });
    const [address, ...written] = zoneStore.now().at(post.name);
    expect(address).toMatchObject({ proxied: false });
    expect(written.map(({ content }) => content)).toEqual(["a-challenge_value", '"two words"']);
  });

  test("that somebody made by hand read as they are meant, with quotes or without", async () => {
    zoneStore.add({ name: post.name, type: "TXT", content: "bare text" });
    zoneStore.add({ name: post.name, type: "TXT", content: '"in two " "parts"' });
    zoneStore.add({ name: post.name, type: "AAAA", content: "2001:DB8:0:0::1" });
    zoneStore.add({ name: post.name, type: "CNAME", content: "elsewhere.example" });
    const found = await provider().at(post.name);
    const contents = found.map(({ content }) => content);
    expect(contents.toSorted()).toEqual(["2001:db8::1", "bare text", "in two parts"]);
    expect(found[0]?.comment).toBe("");
  });

  test("that somebody has set to be proxied are not as they were made", async () => {
    const [made] = await provider().apply({ deletes: [], posts: [post] });
    const held = zoneStore.get(made?.id ?? "");
    if (held) zoneStore.replace({ ...held, proxied: true });
    expect(await provider().at(post.name)).toMatchObject([{ id: made?.id, ttl: 1 }]);
  });

  test("are shown quoted by the API or not, and compare as equal", async () => {
    api.txtContent = "quoted";
    zoneStore.add({ name: post.name, type: "TXT", content: "text" });
    expect(await provider().at(post.name)).toMatchObject([{ content: "text" }]);
  });
});

describe("a call of Cloudflare's API", () => {
  const batch = "POST /dns_records/batch";
  const send = (): Promise<unknown> => provider().apply({ deletes: [], posts: [post] });

  test.each<[string, Fault, string]>([
    ["500", cloudflareFault(500), "unavailable"],
    ["503 in HTML", htmlPage(503), "unavailable"],
    ["403 in HTML, which is not the API's", htmlPage(403), "unavailable"],
    ["200 in HTML", htmlPage(200), "unavailable"],
    ["a reset before it is done", { kind: "drop", when: "before" }, "unavailable"],
    ["a reset after it was done", { kind: "drop", when: "after" }, "unavailable"],
    ["half an answer", { kind: "truncate" }, "unavailable"],
    ["an answer without the records", cloudflareFault(200), "unavailable"],
    ["an unknown refusal", cloudflareFault(400, { code: 1004, message: "DNS Validation Error" }), "refused"],
    ["a CNAME in the way", cloudflareFault(400, { code: 81_053 }), "refused"],
  ])("that meets %s is told so, and is not tried again by itself", async (_, fault, kind) => {
    api.faults.inject(batch, fault);
    expect((await failureOf(send())).kind).toBe(kind);
    expect(api.faults.count(batch)).toBe(1);
  });

  test("that meets 429 says when to come back", async () => {
    api.faults.inject(batch, tooManyRequests(7));
    expect(await failureOf(send())).toMatchObject({ kind: "rate-limited", retryAfterMs: 7_000 });
  });

  test("in a full zone is told so", async () => {
    api.recordQuota = 0;
    expect(await failureOf(send())).toMatchObject({ kind: "quota", message: expect.stringContaining("Record quota") });
  });

  test("tells the reason of a refusal that is in its chain", async () => {
    const bad = { ...post, content: "999.0.0.1" };
    const error = await failureOf(provider().apply({ deletes: [], posts: [bad] }));
    expect(error).toMatchObject({ kind: "refused", message: expect.stringContaining("valid IPv4 address") });
  });

  test.each([
    ["without rights", () => ((api.rights = "read"), send())],
    ["with a token that was revoked", () => provider({ token: "x".repeat(40) }).at(post.name)],
    ["with something that is no token", () => provider({ token: "short" }).at(post.name)],
    ["for a zone that does not exist", () => provider({ zoneId: "0".repeat(32) }).at(post.name)],
  ])("%s is told so", async (_, call) => {
    expect((await failureOf(call())).kind).toBe("unauthorized");
  });

  test.each<[string, Fault]>([
    ["never comes", { kind: "silence", when: "before" }],
    ["comes too late", { kind: "delay", ms: 1_000 }],
  ])("whose answer %s is given up", async (_, fault) => {
    api.faults.inject(batch, fault);
    const impatient = createCloudflareProvider({ ...options(), timeoutMs: 100 });
    expect((await failureOf(impatient.apply({ deletes: [], posts: [post] }))).kind).toBe("unavailable");
  });

  test("whose answer stops in its midst is given up", async () => {
    const stalling: typeof fetch = (_, init) => {
      const body = new ReadableStream({
        start: (answer) => init?.signal?.addEventListener("abort", () => answer.error(new Error("given up"))),
      });
      return Promise.resolve(new Response(body));
    };
    const impatient = createCloudflareProvider({ ...options(), fetch: stalling, timeoutMs: 100 });
    expect((await failureOf(impatient.at(post.name))).kind).toBe("unavailable");
  });

  test("that nobody answers is told so", async () => {
    expect((await failureOf(provider({ api: "http://127.0.0.1:9/client/v4" }).at(post.name))).kind).toBe("unavailable");
  });
});
