import { createHash, createPublicKey, verify } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import type { TeeState } from "../../../tee-bot/attestation/attestation.ts";
import { DstackAgent } from "../../../tee-bot/attestation/dstack/dstack-agent.ts";
import { AgentKeys } from "../../../tee-bot/attestation/keys/tee-keys.ts";
import { createControlApp } from "../../../tee-bot/control/control.ts";
import type { NodeStatus } from "../../../tee-bot/control/status.ts";
import { sendJson, standInInfo, startGuestAgent, type GuestAgentStandIn } from "../../support/guest-agent.ts";
import { openTestLedger, type TestLedger } from "../support/ledger.ts";

const token = "the token";
let standIn: GuestAgentStandIn;
let ledger: TestLedger;
beforeEach(async () => {
  standIn = await startGuestAgent();
  ledger = openTestLedger();
});
afterEach(async () => {
  ledger[Symbol.dispose]();
  await standIn[Symbol.asyncDispose]();
});

function teeOf(tee: "dstack" | "simulated"): TeeState {
  const agent = new DstackAgent({ socketPath: standIn.socket }, systemClock);
  return { tee, agent, keys: new AgentKeys(agent) };
}

interface Asked {
  tee?: TeeState;
  authorization?: string;
}

async function ask(method: string, path: string, body?: unknown, { tee = teeOf("dstack"), authorization }: Asked = {}) {
  const app = createControlApp({
    token,
    status: () => ({}) as NodeStatus,
    expose: () => {},
    renew: () => {},
    ledger,
    tee,
    clock: systemClock,
  });
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = { authorization: authorization ?? `Bearer ${token}`, "content-length": String(text?.length ?? 0) };
  const response = await app.request(path, { method, headers, ...(text !== undefined && { body: text }) });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, string>,
    headers: response.headers,
  };
}
const post = (path: string, body: unknown, asked?: Asked) => ask("POST", path, body, asked);
const calls: [method: string, path: string, body?: object][] = [
  ["GET", "/tee/info"],
  ["POST", "/tee/quote", { data: "01" }],
  ["POST", "/tee/derive-key", { path: "a" }],
  ["POST", "/tee/sign", { data: "01" }],
  ["POST", "/tee/verify", { data: "01", signature: "", public_key: "" }],
  ["POST", "/tee/emit-event", { event: "e", payload: "" }],
];
const sha512 = (...parts: (string | Uint8Array)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha512")).digest("hex");

describe("the TEE's part of the control API", () => {
  it.each(calls)("wants the token: %s %s", async (method, path, body) => {
    const { status, body: answer } = await ask(method, path, body, { authorization: "Bearer wrong" });
    expect([status, answer["code"]]).toEqual([403, "forbidden"]);
    expect(standIn.seen).toEqual([]);
  });

  it.each(calls)("says why there is no TEE: %s %s", async (method, path, body) => {
    const tee = { tee: "none", reason: "Not in a TEE: no guest agent at /x." } as const;
    const { status, body: answer } = await ask(method, path, body, { tee });
    expect([status, answer["code"], answer["detail"]]).toEqual([503, "tee-absent", tee.reason]);
  });

  it.each(calls)("says of a simulated TEE that it is one: %s %s", async (method, path, body) => {
    expect((await ask(method, path, body, { tee: teeOf("simulated") })).body).toMatchObject({
      tee: "simulated",
      simulated: true,
    });
    const { body: real, headers } = await ask(method, path, body);
    expect(real).toMatchObject({ tee: "dstack", simulated: false });
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("tells what runs", async () => {
    const { body } = await ask("GET", "/tee/info");
    expect(body).toMatchObject({
      agent: standIn.socket,
      version: { version: "0.5.8" },
      app_id: standInInfo.app_id,
      compose_hash: standInInfo.compose_hash,
      app_compose: '{"name":"postern"}',
    });
  });

  it("has bytes quoted under a tag, never as they came", async () => {
    const data = "00".repeat(64);
    const { body } = await post("/tee/quote", { data });
    const bound = sha512("postern:caller:v1", Buffer.alloc(1), Buffer.from(data, "hex"));
    expect(body).toMatchObject({
      report_data: bound,
      event_log: "[]",
      report_data_is: 'SHA-512("postern:caller:v1" ‖ 00 ‖ data)',
    });
    expect(standIn.seen).toMatchObject([{ path: "/GetQuote", body: { report_data: bound } }]);
  });

  it("derives keys below its own name, purpose included, so that none is one of the node's", async () => {
    const { body } = await post("/tee/derive-key", { path: "wallet/1", algorithm: "secp256k1" });
    const path = "app/control/key/secp256k1/wallet/1";
    expect(standIn.seen.at(-1)?.body).toEqual({ path, purpose: path, algorithm: "secp256k1" });
    expect(body).toMatchObject({ path, key: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    const other = await post("/tee/derive-key", { path: "wallet/1" });
    expect(other.body["key"]).not.toBe(body["key"]);
    expect((await post("/tee/derive-key", { path: "wallet/1" })).body["key"]).toBe(other.body["key"]);
  });

  it.each(["", "/a", "a/", "a//b", "..", "a/../b", "a.b", "a b", "postern\0", "x".repeat(129), "é"])(
    "refuses to derive a key at «%s»",
    async (path) => {
      const { status, body } = await post("/tee/derive-key", { path });
      expect([status, body["code"]]).toEqual([400, "bad-request"]);
      expect(standIn.seen).toEqual([]);
    },
  );

  it("signs under a tag with a key that cannot be derived, and knows its signatures", async () => {
    const { body } = await post("/tee/sign", { data: "c0ffee" });
    const spki = Buffer.concat([
      Buffer.from("302a300506032b6570032100", "hex"),
      Buffer.from(body["public_key"] ?? "", "hex"),
    ]);
    const signed = Buffer.from("postern:signature:v1\0control\0\xc0\xff\xee", "latin1");
    const key = createPublicKey({ key: spki, format: "der", type: "spki" });
    expect(verify(null, signed, key, Buffer.from(body["signature"] ?? "", "hex"))).toBe(true);
    const { public_key: publicKey, signature } = body;
    const valid = async (data: string) =>
      (await post("/tee/verify", { data, signature, public_key: publicKey })).body["valid"];
    expect([await valid("c0ffee"), await valid("c0ffef")]).toEqual([true, false]);
    const derived = await post("/tee/derive-key", { path: "sign/ed25519" });
    expect(derived.body["path"]).not.toBe(body["path"]);
    const key256 = await post("/tee/sign", { data: "c0ffee", algorithm: "secp256k1" });
    expect(
      secp256k1.verify(
        Buffer.from(key256.body["signature"] ?? "", "hex"),
        signed,
        Buffer.from(key256.body["public_key"] ?? "", "hex"),
      ),
    ).toBe(true);
  });

  it("calls what is no signature at all not valid", async () => {
    for (const signature of ["", "00", "ff".repeat(64)])
      for (const algorithm of ["ed25519", "secp256k1"]) {
        const wish = { data: "01", signature, public_key: "02".repeat(33), algorithm };
        expect((await post("/tee/verify", wish)).body["valid"]).toBe(false);
      }
  });

  it("emits events under its own name only", async () => {
    const { body } = await post("/tee/emit-event", { event: "compose-hash", payload: "01" });
    expect(body["event"]).toBe("app/control/compose-hash");
    expect(standIn.seen.at(-1)?.body).toEqual({ event: "app/control/compose-hash", payload: "01" });
  });

  it("says that events are gone from newer agents", async () => {
    standIn.answers.set("/EmitEvent", (response) => sendJson(response, 404, { error: "Service not found: EmitEvent" }));
    const { status, body } = await post("/tee/emit-event", { event: "e", payload: "" });
    expect([status, body["code"]]).toEqual([501, "not-supported"]);
    expect(body["detail"]).toBe("EmitEvent is not supported by this guest agent.");
  });

  it("passes on that the agent fails", async () => {
    standIn.answers.set("/GetQuote", (response) => sendJson(response, 500, { error: "no quote" }));
    const { status, body } = await post("/tee/quote", { data: "" });
    expect([status, body["code"]]).toEqual([502, "upstream-unavailable"]);
  });

  it.each([
    ["/tee/quote", {}],
    ["/tee/quote", { data: "0" }],
    ["/tee/quote", { data: "zz" }],
    ["/tee/quote", { data: "00".repeat(4_097) }],
    ["/tee/quote", { report_data: "00" }],
    ["/tee/derive-key", { path: "a", algorithm: "rsa" }],
    ["/tee/derive-key", { path: "a", purpose: "postern/identity/v1" }],
    ["/tee/sign", { data: "00", algorithm: "secp256k1_prehashed" }],
    ["/tee/verify", { data: "00" }],
    ["/tee/emit-event", { event: "a/b", payload: "" }],
    ["/tee/emit-event", { event: "x".repeat(65), payload: "" }],
    ["/tee/sign", "text"],
  ])("refuses of %s: %j", async (path, body) => {
    const { status, body: problem } = await post(path, body);
    expect([status, problem["code"]]).toEqual([400, "bad-request"]);
    expect(standIn.seen).toEqual([]);
  });
});
