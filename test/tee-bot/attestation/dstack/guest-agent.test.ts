import { once } from "node:events";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { errorText } from "../../../../shared/errors.ts";
import { callTimeoutMs } from "../../../../tee-bot/attestation/dstack/call-agent.ts";
import { DstackAgent } from "../../../../tee-bot/attestation/dstack/dstack-agent.ts";
import { maxAnswerBytes } from "../../../../tee-bot/attestation/dstack/exchange.ts";
import { TappdAgent } from "../../../../tee-bot/attestation/dstack/tappd-agent.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { refusalOfAsync } from "../../../shared/refusal.ts";
import {
  sendJson,
  standInInfo,
  startGuestAgent,
  type Answer,
  type GuestAgentStandIn,
} from "../../../support/guest-agent.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { behavesAsGuestAgent } from "./guest-agent-behaviour.ts";

let standIn: GuestAgentStandIn;
let agent: DstackAgent;
beforeEach(async () => {
  standIn = await startGuestAgent();
  agent = new DstackAgent({ socketPath: standIn.socket }, systemClock);
});
afterEach(() => standIn[Symbol.asyncDispose]());

const key = { path: "a", purpose: "b", algorithm: "secp256k1" } as const;
const answer = (path: string, given: Answer) => void standIn.answers.set(path, given);
/** All that the server writes, after which it hangs up. */
const raw =
  (text: string): Answer =>
  (response: ServerResponse) =>
    void response.socket?.end(text, "latin1");
const ok = (headers: string, body: string): Answer => raw(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n${body}`);
const keyJson = (): string =>
  JSON.stringify({ key: "0a".repeat(32), signature_chain: ["0b".repeat(65), "0c".repeat(65)] });

describe("an agent of dstack 0.5 and later", () => {
  behavesAsGuestAgent({ agent: () => agent, legacy: false });

  it("is asked with JSON whose length is in bytes", async () => {
    await agent.key({ ...key, path: "schlüssel/é" });
    const [{ headers, body } = expect.fail("nothing came")] = standIn.seen;
    expect(headers).toMatchObject({
      "content-type": "application/json",
      "content-length": expect.any(String) as string,
    });
    expect(body).toEqual({ path: "schlüssel/é", purpose: "b", algorithm: "secp256k1" });
  });

  it("emits events and tells of GPUs where it still, or already, can", async () => {
    await agent.emitEvent("e", Uint8Array.of(1));
    expect(standIn.seen.at(-1)?.body).toEqual({ event: "e", payload: "01" });
    expect(await agent.gpuInfo()).toBe("{}");
  });
});

describe("an agent of the first kind", () => {
  let legacy: GuestAgentStandIn;
  beforeEach(async () => void (legacy = await startGuestAgent({ name: "tappd.sock" })));
  afterEach(() => legacy[Symbol.asyncDispose]());
  behavesAsGuestAgent({ agent: () => new TappdAgent({ socketPath: legacy.socket }, systemClock), legacy: true });

  it("is asked for raw report data, all of it", async () => {
    await new TappdAgent({ socketPath: legacy.socket }, systemClock).quote(Uint8Array.of(1));
    expect(legacy.seen).toMatchObject([
      { path: "/prpc/Tappd.RawQuote", body: { report_data: `01${"00".repeat(63)}` } },
    ]);
  });
});

describe("a call that the agent does not know", () => {
  const refusal =
    (status: number, error: string): Answer =>
    (response) =>
      sendJson(response, status, { error });
  const unknown: [what: string, given: Answer][] = [
    [
      "404 of its web server",
      raw("HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"),
    ],
    ["400 of prpc", refusal(400, "Service not found: EmitEvent")],
    ["400 since it was removed", refusal(400, "EmitEvent was removed in v0.6.0")],
    ["501", refusal(501, "no")],
  ];
  it.each(unknown)("is not supported: %s", async (_, given) => {
    answer("/EmitEvent", given);
    expect(await refusalOfAsync(() => agent.emitEvent("e", new Uint8Array()))).toBe("not-supported");
  });

  it("leaves the version open on an old OS", async () => {
    answer("/Version", (response) => sendJson(response, 400, { error: "Service not found: Version" }));
    expect(await agent.version()).toBeUndefined();
  });
});

describe("an agent that fails", () => {
  it.each([400, 500, 503, 204, 302, 201])("is not believed with status %i, though the body is good", async (status) => {
    answer("/GetKey", (response) => sendJson(response, status, JSON.parse(keyJson())));
    await expect(agent.key(key)).rejects.toThrow(`has refused GetKey with status ${status}: without saying why`);
  });

  it("is quoted, without control characters and not at length", async () => {
    answer("/GetKey", (response) => sendJson(response, 400, { error: `no\u001b[31m\r\nkey${"x".repeat(5_000)}` }));
    const words = await agent.key(key).then(() => "", errorText);
    expect(words).toContain("«no [31m key");
    expect(words.length).toBeLessThan(600);
    expect(await refusalOfAsync(() => agent.key(key))).toBe("upstream-unavailable");
  });

  const wrong: [what: string, given: () => Answer][] = [
    ["no JSON", () => ok("content-type: application/json\r\ncontent-length: 5", "hello")],
    ["another content type", () => ok(`content-type: text/plain\r\ncontent-length: ${keyJson().length}`, keyJson())],
    ["no content type", () => ok(`content-length: ${keyJson().length}`, keyJson())],
    ["nothing", () => ok("content-type: application/json\r\ncontent-length: 0", "")],
    ["null", () => ok("content-type: application/json\r\ncontent-length: 4", "null")],
    [
      "a body that is cut",
      () => ok(`content-type: application/json\r\ncontent-length: ${keyJson().length}`, keyJson().slice(0, 50)),
    ],
    ["a chunk that is cut", () => ok("content-type: application/json\r\ntransfer-encoding: chunked", "ff\r\n{}")],
    [
      "no end of its chunks",
      () =>
        ok(
          "content-type: application/json\r\ntransfer-encoding: chunked",
          `${keyJson().length.toString(16)}\r\n${keyJson()}\r\n`,
        ),
    ],
    ["no HTTP", () => raw("hello\r\n\r\n")],
    ["a connection that is closed", () => raw("")],
    ["bytes that are no UTF-8", () => ok("content-type: application/json", `{"x":"\xc3(",${keyJson().slice(1)}`)],
    ["more than it may", () => ok("content-type: application/json", keyJson().padEnd(maxAnswerBytes + 1))],
    ["a key that is too short", () => ({ key: "0a".repeat(31), signature_chain: ["0b".repeat(65), "0c".repeat(65)] })],
    ["a key that is no hex", () => ({ key: "zz".repeat(32), signature_chain: ["0b".repeat(65), "0c".repeat(65)] })],
    ["half a byte", () => ({ key: "0a".repeat(32), signature_chain: [`${"0b".repeat(64)}0`, "0c".repeat(65)] })],
    ["a chain of one", () => ({ key: "0a".repeat(32), signature_chain: ["0b".repeat(65)] })],
    ["no chain", () => ({ key: "0a".repeat(32) })],
    ["an error with status 200", () => ({ error: "no" })],
  ];
  it.each(wrong)("is not believed with %s", async (_, given) => {
    answer("/GetKey", given());
    expect(await refusalOfAsync(() => agent.key(key))).toBe("upstream-unavailable");
  });

  it("says which field is wrong", async () => {
    const { app_id: _, ...rest } = standInInfo;
    answer("/Info", { ...rest, compose_hash: "ff" });
    await expect(agent.info()).rejects.toThrow(/answered Info in a form that is not its own: app_id, compose_hash\.$/);
    answer("/Info", { ...standInInfo, tcb_info: "{" });
    await expect(agent.info()).rejects.toThrow(/tcb_info\.$/);
  });

  it("is given its time, and no more", async () => {
    const clock = new ManualClock();
    const slow = new DstackAgent({ socketPath: standIn.socket }, clock);
    answer("/GetKey", () => undefined); // never
    const asked = refusalOfAsync(() => slow.key(key));
    await clock.untilSleeping((ms) => ms === callTimeoutMs);
    clock.advance(callTimeoutMs);
    expect(await asked).toBe("upstream-timeout");
    expect(clock.sleeping).toEqual([]);
  });

  it("is given that time for all of a slow drip", async () => {
    const clock = new ManualClock();
    const slow = new DstackAgent({ socketPath: standIn.socket }, clock);
    answer("/GetKey", (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), 5);
      response.on("close", () => clearInterval(timer));
      setTimeout(() => clock.advance(callTimeoutMs), 50);
    });
    await expect(slow.key(key)).rejects.toThrow("has not answered GetKey within 10 s");
  });
});

describe("an answer that is right", () => {
  it("is read when its header is spelt in another way", async () => {
    answer(
      "/GetKey",
      ok(`CONTENT-TYPE:application/json;charset=utf-8\r\nContent-Length:${keyJson().length}`, keyJson()),
    );
    expect((await agent.key(key)).key).toHaveLength(32);
  });

  it("is read in chunks of one byte, and without a length", async () => {
    const chunks = keyJson().replaceAll(/./g, "1\r\n$&\r\n");
    answer("/GetKey", ok("content-type: application/json\r\ntransfer-encoding: chunked", `${chunks}0\r\n\r\n`));
    expect((await agent.key(key)).key).toHaveLength(32);
    answer("/GetKey", ok("content-type: application/json", keyJson()));
    expect((await agent.key(key)).key).toHaveLength(32);
  });

  it("keeps a compose text with more than ASCII, though its bytes come in two halves", async () => {
    const compose = '{"name":"café, 楽しい 🔑"}';
    const body = Buffer.from(JSON.stringify({ ...standInInfo, tcb_info: JSON.stringify({ app_compose: compose }) }));
    const middle = body.indexOf("é") + 1;
    answer("/Info", (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
      response.write(body.subarray(0, middle));
      setTimeout(() => response.end(body.subarray(middle)), 20);
    });
    expect((await agent.info()).appCompose).toBe(compose);
  });

  it("tells of no compose text where the operator hides it", async () => {
    answer("/Info", { ...standInInfo, tcb_info: "" });
    expect((await agent.info()).appCompose).toBeUndefined();
  });

  it("says that it is simulated when it says so", async () => {
    expect((await agent.info()).simulated).toBe(false);
    answer("/Info", { ...standInInfo, simulated: true });
    expect((await agent.info()).simulated).toBe(true);
  });

  it("comes over a connection of its own, since the agent closes idle ones at any time", async () => {
    const clock = new ManualClock();
    const timed = new DstackAgent({ socketPath: standIn.socket }, clock);
    for (let call = 0; call < 3; call++) await timed.key(key);
    expect(standIn.connections()).toBe(3);
    expect(clock.sleeping).toEqual([]); // nor does a deadline stay behind
  });

  it("comes from a port as well", async () => {
    await using simulator = await startGuestAgent({ port: true });
    const { appId } = await new DstackAgent({ host: "127.0.0.1", port: simulator.port }, systemClock).info();
    expect(appId).toBe(standInInfo.app_id);
  });
});

describe("a socket", () => {
  it("that is not there means that this is no TEE", async () => {
    using folder = temporaryFolder();
    const nowhere = new DstackAgent({ socketPath: join(folder.path, "dstack.sock") }, systemClock);
    expect(await refusalOfAsync(() => nowhere.info())).toBe("tee-absent");
    await expect(nowhere.info()).rejects.toThrow(`Not in a TEE: no guest agent at ${nowhere.address}.`);
  });

  it("at which nobody listens, and a file that is none, are told with what to do", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "dstack.sock");
    const dead = new DstackAgent({ socketPath: path }, systemClock);
    await leaveDeadSocket(path);
    await expect(dead.info()).rejects.toThrow("nobody listens there. Start");
    rmSync(path);
    writeFileSync(path, "");
    expect(await refusalOfAsync(() => dead.info())).toBe("upstream-unavailable");
  });
});

/** As a process leaves it that was killed: a server that is closed takes its own file along, so that is moved before. */
async function leaveDeadSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.1`);
  await once(server, "listening");
  renameSync(`${path}.1`, path);
  server.close();
  await once(server, "close");
}
