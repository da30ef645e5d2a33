import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isLogSpec, parseLogList, parseLogSpec } from "../../../../tee-bot/attestation/transparency/log-spec.ts";

const key = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .publicKey.export({ type: "spki", format: "der" })
  .toString("base64");

describe("a log as it is written", () => {
  it("is a URL, with its key after a #", () => {
    expect(parseLogSpec("https://log.example/2026h2/")).toEqual({
      kind: "static",
      url: "https://log.example/2026h2/",
      key: undefined,
    });
    expect(parseLogSpec("rfc6962+https://log.example/2026h2/")).toMatchObject({
      kind: "rfc6962",
      url: "https://log.example/2026h2/",
    });
    const spec = parseLogSpec(`https://log.example/2026h2/#${key}`);
    expect(spec.url).toBe("https://log.example/2026h2/");
    expect(spec.key?.id).toHaveLength(32);
    expect(isLogSpec("https://log.example/2026h2/")).toBe(true);
  });

  it.each([
    "log.example",
    "http://log.example/",
    "https://user:word@log.example/",
    "https://log.example/?a=b",
    "https://log.example/#bm9uZQ==",
    "https://log.example/#%",
  ])("%s is refused", (text) => {
    expect(() => parseLogSpec(text)).toThrow("bad-request");
    expect(isLogSpec(text)).toBe(false);
  });
});

describe("a list of logs", () => {
  const now = Date.parse("2026-11-21T00:00:00Z");
  const log = (name: string, state: object, from?: string, to?: string) => ({
    monitoring_url: `https://${name}.example/`,
    key,
    mmd: 60,
    state,
    ...(from && { temporal_interval: { start_inclusive: from, end_exclusive: to } }),
  });
  const usable = { usable: { timestamp: "2026-01-01T00:00:00Z" } };

  it("gives the logs into which a certificate of today may come", () => {
    const list = {
      version: "3",
      operators: [
        { name: "A", logs: [], tiled_logs: [log("whole", usable), log("retired", { retired: {} })] },
        {
          name: "B",
          logs: [
            { url: "https://old.example/", key, state: usable },
            { url: "https://gone.example/", key },
          ],
          tiled_logs: [
            log("over", usable, "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"),
            log("now", usable, "2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            log("next", { qualified: {} }, "2027-01-01T00:00:00Z", "2027-07-01T00:00:00Z"),
            log("far", usable, "2029-01-01T00:00:00Z", "2029-07-01T00:00:00Z"),
          ],
        },
        { name: "C", logs: [] },
      ],
    };
    expect(parseLogList(list, now).map(({ kind, url }) => `${kind} ${url}`)).toEqual([
      "static https://whole.example/",
      "static https://now.example/",
      "static https://next.example/",
      "rfc6962 https://old.example/",
    ]);
  });

  it.each([[null], [[]], [{ operators: [{ tiled_logs: [{}] }] }]])("%j is none", (json) => {
    expect(() => parseLogList(json, now)).toThrow("not of the form");
  });
});
