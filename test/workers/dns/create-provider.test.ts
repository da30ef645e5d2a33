import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { zone } from "../support/constants.ts";
import { createProvider } from "../../../workers/dns/create-provider.ts";
import { createCloudflareProvider } from "../../../workers/dns/cloudflare-provider.ts";
import type { DnsProvider, NewRecord } from "../../../workers/dns/provider.ts";
import { settingsOf } from "../../../workers/object-settings.ts";

const post: NewRecord = { name: `a.${zone}`, type: "TXT", content: "text", ttl: 60, comment: "postern 0" };

/** What Cloudflare's API would answer, and what it was asked. */
function answering(status: number, body: object): { provider: DnsProvider; asked: Request[] } {
  const asked: Request[] = [];
  const provider = createCloudflareProvider({
    api: "https://api.example/client/v4",
    zoneId: "z".repeat(32),
    token: "secret",
    fetch: (input, init) => {
      asked.push(new Request(input, init));
      return Promise.resolve(Response.json(body, { status }));
    },
  });
  return { provider, asked };
}

describe("the provider for Cloudflare, in workerd", () => {
  test("sends a batch and reads its answer", async () => {
    const { comment: _comment, ...shown } = { ...post, id: "1", proxied: false }; // not every API of this shape shows it
    const { provider, asked } = answering(200, { success: true, errors: [], result: { posts: [shown] } });
    expect(await provider.apply({ deletes: ["9"], posts: [post] })).toEqual([{ ...post, id: "1" }]);
    const [request] = asked;
    expect(request?.url).toBe(`https://api.example/client/v4/zones/${"z".repeat(32)}/dns_records/batch`);
    expect(request?.headers.get("authorization")).toBe("Bearer secret");
    expect(await request?.json()).toEqual({
      deletes: [{ id: "9" }],
      posts: [{ ...post, proxied: false }],
    });
  });

  test("knows the API's errors", async () => {
    const { provider } = answering(400, {
      success: false,
      errors: [{ code: 81_045, message: "Record quota exceeded." }],
    });
    await expect(provider.at(zone)).rejects.toMatchObject({ name: "ProviderError", kind: "quota" });
  });
});

test("the settings choose the provider", () =>
  runInDurableObject(env.ZONES.get(env.ZONES.newUniqueId()), async (_, { storage }) => {
    const { config } = settingsOf(env);
    const parts = { sql: storage.sql, transaction: <T>(write: () => T): T => storage.transactionSync(write) };
    const memory = createProvider(config, { externalAccounts: new Map() }, parts);
    await memory.apply({ deletes: [], posts: [post] });
    expect(await memory.at(post.name)).toMatchObject([post]);

    const dns = { ...config.dns, provider: "cloudflare" as const, api: "nowhere:/client/v4", zoneId: "0" };
    const secrets = { externalAccounts: new Map(), cloudflareApiToken: "secret" };
    const cloudflare = createProvider({ ...config, dns }, secrets, parts);
    await expect(cloudflare.at(post.name)).rejects.toMatchObject({ name: "ProviderError", kind: "unavailable" });
  }));
