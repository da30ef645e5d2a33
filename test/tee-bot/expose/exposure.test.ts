import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../shared/log.ts";
import { Exposure } from "../../../tee-bot/expose/exposure.ts";
import { parseTarget } from "../../../tee-bot/expose/target.ts";
import type { HttpHandler } from "../../../tee-bot/server/terminator.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { until } from "../../support/postern.ts";
import { readAnswer, startPublicName } from "../support/public-name.ts";
import { answering, startRawService, type RawService } from "../support/raw-service.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const gateway: HttpHandler = {
  request: (_, response) => void response.end("the gateway"),
  upgrade: (_, socket) => void socket.destroy(),
};

function exposureIn(
  directory: string,
  target?: string,
  hook: () => HttpHandler | undefined = () => undefined,
): Exposure {
  const exposure = new Exposure({
    target: target === undefined ? undefined : parseTarget(target),
    path: join(directory, "exposure.json"),
    gateway,
    challenges: { pending: false, contextFor: () => undefined },
    showEvidence: (_, response) => void response.end("the evidence"),
    hook,
    mustProve: false,
    log: silentLog,
  });
  stack.defer(() => exposure.close());
  return exposure;
}
const service = async (says: string): Promise<RawService> =>
  stack.use(await startRawService(answering(`HTTP/1.1 200 OK\r\ncontent-length: ${says.length}\r\n\r\n${says}`)));

describe("what is exposed", () => {
  it("is the gateway at first, and what was chosen last after a restart", () => {
    using folder = temporaryFolder();
    const first = exposureIn(folder.path);
    expect(first.target).toEqual({ kind: "gateway" });
    first.expose(parseTarget("http://127.0.0.1:3000"));
    expect(exposureIn(folder.path).target).toEqual({ kind: "http", origin: "http://127.0.0.1:3000" });
    first.expose(parseTarget("tls://[::1]:9443?proxy=v2"));
    expect(exposureIn(folder.path).target).toEqual({ kind: "tls", host: "::1", port: 9443, proxy: true });
    expect(statSync(join(folder.path, "exposure.json")).isFile()).toBe(true);
  });

  it("is what the command line says, which does not become the choice for later", () => {
    using folder = temporaryFolder();
    exposureIn(folder.path).expose(parseTarget("http://127.0.0.1:3000"));
    const kept = readFileSync(join(folder.path, "exposure.json"), "utf8");
    expect(exposureIn(folder.path, "gateway").target).toEqual({ kind: "gateway" });
    expect(readFileSync(join(folder.path, "exposure.json"), "utf8")).toBe(kept);
  });

  it.each(["", "{", "null", "[]", '{"target":7}', '{"target":"ftp://x"}', '"gateway"'])(
    "is the gateway when the file holds «%s»",
    (content) => {
      using folder = temporaryFolder();
      writeFileSync(join(folder.path, "exposure.json"), content);
      expect(exposureIn(folder.path).target).toEqual({ kind: "gateway" });
    },
  );

  it("can be changed while visitors are there: the next request goes to the new one, on the same connection", async () => {
    using folder = temporaryFolder();
    const [first, second] = [await service("first"), await service("second")];
    const exposure = exposureIn(folder.path, first.origin);
    const name = stack.use(await startPublicName(exposure));
    const socket = await name.dial();
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    for (const [target, says] of [
      [first.origin, "first"],
      [second.origin, "second"],
      ["gateway", "the gateway"],
    ] as const) {
      exposure.expose(parseTarget(target));
      socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      await until(() => text.includes(says), 5_000, `${says} answers`);
    }
    socket.destroy();
  });

  it("ends no answer that is on its way when it changes", async () => {
    using folder = temporaryFolder();
    const slow = stack.use(
      await startRawService(({ socket }) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf")),
    );
    const exposure = exposureIn(folder.path, slow.origin);
    const name = stack.use(await startPublicName(exposure));
    const [response] = (await once(name.open({ path: "/" }).end(), "response")) as [IncomingMessage];
    const answer = readAnswer(response);
    exposure.expose(parseTarget("gateway"));
    expect((await name.ask("/")).body).toBe("the gateway");
    slow.connections[0]?.socket.write("more");
    expect((await answer).body).toBe("halfmore");
  });

  it("keeps no connection to a service that was replaced", async () => {
    using folder = temporaryFolder();
    const before = await service("before");
    const exposure = exposureIn(folder.path, before.origin);
    const name = stack.use(await startPublicName(exposure));
    await Promise.all([name.ask("/"), name.ask("/"), name.ask("/")]);
    exposure.expose(parseTarget("gateway"));
    await until(() => before.connections.every(({ socket }) => socket.destroyed), 1_000, "they are closed");
  });
});

describe("the bot's webhook", () => {
  const hook: HttpHandler = { ...gateway, request: (_, response) => void response.end("the webhook") };

  it("is at its path of the public name, whatever is behind the name", async () => {
    using folder = temporaryFolder();
    const exposure = exposureIn(folder.path, (await service("the service")).origin, () => hook);
    const name = stack.use(await startPublicName(exposure));
    expect((await name.ask("/hooks/signal", { method: "POST" })).body).toBe("the webhook");
    expect(
      await name.exchange(`POST https://demo.test/hooks/signal HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
    ).toContain("the webhook");
    for (const path of ["/hooks/signals", "/hooks/signal/more", "/other?/hooks/signal"])
      expect((await name.ask(path)).body).toBe("the service");
  });

  it("is not there where the settings do not ask for it", async () => {
    using folder = temporaryFolder();
    const name = stack.use(await startPublicName(exposureIn(folder.path, undefined, () => undefined)));
    expect((await name.ask("/hooks/signal", { method: "POST" })).body).toBe("the gateway");
  });
});
