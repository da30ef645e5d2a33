import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { keyUses, type TeeContext } from "../../../../tee-bot/attestation/attestation.ts";
import { DstackAgent } from "../../../../tee-bot/attestation/dstack/dstack-agent.ts";
import { openNodeKeys } from "../../../../tee-bot/attestation/keys/node-keys.ts";
import { AgentKeys } from "../../../../tee-bot/attestation/keys/tee-keys.ts";
import { filesIn } from "../../../../tee-bot/config.ts";
import { inboxKeyOfPem } from "../../../../tee-bot/inbox/inbox-key.ts";
import { refusalOfAsync } from "../../../shared/refusal.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { sendJson, startGuestAgent, type GuestAgentStandIn } from "../../../support/guest-agent.ts";
import { recordingLog } from "../../support/log.ts";

let stack: AsyncDisposableStack;
let standIn: GuestAgentStandIn;
let log: ReturnType<typeof recordingLog>;
let state: string;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  standIn = stack.use(await startGuestAgent());
  log = recordingLog();
  state = stack.use(temporaryFolder()).path;
});
afterEach(() => stack.disposeAsync());

function teeAt({ socket }: GuestAgentStandIn): TeeContext {
  const agent = new DstackAgent({ socketPath: socket }, systemClock);
  return { tee: "dstack", agent, keys: new AgentKeys(agent) };
}
const open = (tee = teeAt(standIn)) => openNodeKeys(tee, { files: filesIn(state), now: Date.now(), log });
const none = { tee: "none", reason: "." } as const;

describe("the keys of a node in a TEE", () => {
  it("are the same at each start, each another one, and of the application alone", async () => {
    const [one, again] = [await open(), await open()];
    expect(again.identity.id).toBe(one.identity.id);
    expect(again.tls.pem).toBe(one.tls.pem);
    expect(again.acmeAccount()).toBe(one.acmeAccount());
    expect(one.acmeAccount()).not.toBe(one.tls.pem);
    expect(await again.inbox()).toBe(await one.inbox());
    expect(inboxKeyOfPem(await one.inbox()).publicKey).toHaveLength(32);
    await using other = await startGuestAgent({ seed: "two" });
    const theirs = await open(teeAt(other));
    expect(theirs.identity.id).not.toBe(one.identity.id);
    expect(theirs.tls.spki).not.toEqual(one.tls.spki);
  });

  it("are written nowhere", async () => {
    const { acmeAccount, inbox } = await open();
    acmeAccount();
    await inbox();
    expect(readdirSync(state)).toEqual([]);
    expect(log.events).toEqual([]);
  });

  it("take the place of files, which are left alone and named in the log", async () => {
    const before = await openNodeKeys(none, { files: filesIn(state), now: Date.now(), log });
    const file = readFileSync(join(state, "identity.pem"), "utf8");
    const keys = await open();
    expect(keys.identity.id).not.toBe(before.identity.id);
    expect(readFileSync(join(state, "identity.pem"), "utf8")).toBe(file);
    const ignored = log.events.filter(({ event }) => event === "key.ignored").map(({ fields }) => fields["path"]);
    expect(ignored).toEqual([join(state, "identity.pem"), join(state, "tls.key")]);
  });

  it("are derived by HKDF from what the agent has at the path of each use, which is asked once", async () => {
    const { keys, agent } = teeAt(standIn);
    const seeds = await Promise.all(
      [...keyUses, ...keyUses].map(async (use) => Buffer.from(await keys.derive(use)).toString("hex")),
    );
    expect(new Set(seeds).size).toBe(keyUses.length);
    expect(standIn.seen.map(({ body }) => String(body["path"])).toSorted()).toEqual(
      keyUses.map((use) => `postern/${use}/v1`).toSorted(),
    );
    const { key } = await agent.key({ path: "postern/identity/v1", purpose: "any", algorithm: "secp256k1" });
    expect(seeds[0]).not.toBe(Buffer.from(key).toString("hex"));
    // HKDF by hand (RFC 5869) with no salt: extract, then the first block.
    const prk = hmac(Buffer.alloc(32), key);
    expect(seeds[0]).toBe(hmac(prk, Buffer.from("identity\x01")).toString("hex"));
  });

  it("are asked for again after the agent has failed", async () => {
    const { keys } = teeAt(standIn);
    standIn.answers.set("/GetKey", (response) => sendJson(response, 500, { error: "not yet" }));
    expect(await refusalOfAsync(() => keys.derive("tls"))).toBe("upstream-unavailable");
    standIn.answers.clear();
    expect(await keys.derive("tls")).toHaveLength(32);
  });

  it("make a node start only with them", async () => {
    standIn.answers.set("/GetKey", (response) => sendJson(response, 500, { error: "not yet" }));
    expect(await refusalOfAsync(() => open())).toBe("upstream-unavailable");
    expect(readdirSync(state)).toEqual([]);
  });
});

describe("the keys of a node on any machine", () => {
  it("are files, that of the ACME account when it is first needed", async () => {
    const keys = await openNodeKeys(none, { files: filesIn(state), now: Date.now(), log });
    expect(readdirSync(state).toSorted()).toEqual(["identity.pem", "tls.key"]);
    expect(keys.acmeAccount()).toBe(readFileSync(join(state, "acme-account.pem"), "utf8"));
    writeFileSync(join(state, "tls.key"), "hello", { mode: 0o600 });
    expect(await refusalOfAsync(() => openNodeKeys(none, { files: filesIn(state), now: Date.now(), log }))).toBe(
      "bad-request",
    );
  });
});

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  const block = (byte: number) =>
    Buffer.from(Buffer.concat([key, Buffer.alloc(64 - key.length)]).map((one) => one ^ byte));
  const inner = createHash("sha256").update(block(0x36)).update(data).digest();
  return createHash("sha256").update(block(0x5c)).update(inner).digest();
}
