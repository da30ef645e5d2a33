import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toBase64 } from "../../../shared/inbox/webhook-signature.ts";
import { forwardTo } from "../../../tee-bot/inbox/forward.ts";
import { inboxKeyOfPem, readOrCreateInboxKey } from "../../../tee-bot/inbox/inbox-key.ts";
import { readHookSecret } from "../../../tee-bot/inbox/open-inbox.ts";
import { inboxSettingsSchema } from "../../../tee-bot/inbox/settings.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { generateIdentityPem } from "../../../shared/nodejs/identity-file.ts";

const secret = `whsec_${toBase64(new Uint8Array(32).fill(7))}`;
const forward = "http://127.0.0.1:9";

describe("a hook that is forwarded", () => {
  let server: Server;
  let url: string;
  let status = 200;
  const seen: { request: IncomingMessage; body: string }[] = [];
  const delivery = {
    id: "msg_1",
    receivedAt: 0,
    headers: { "content-type": "application/json", "x-github-event": "push" },
    body: Uint8Array.from(Buffer.from('{"größe":1}')),
    attempt: 1,
  };

  beforeEach(async () => {
    seen.length = 0;
    status = 200;
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      seen.push({ request, body: await text(request) });
      response.writeHead(status, status === 302 ? { location: "/elsewhere" } : {}).end("an answer");
    };
    server = createServer((request, response) => void answer(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?query`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const send = (signal = new AbortController().signal) => forwardTo(url, { fetch }).onHook("github", delivery, signal);

  it("comes as its sender has sent it, with the id", async () => {
    await send();
    expect(seen).toHaveLength(1);
    const [{ request, body } = { request: undefined, body: "" }] = seen;
    expect([request?.method, request?.url, body]).toEqual(["POST", "/path?query", '{"größe":1}']);
    expect(request?.headers).toMatchObject({ ...delivery.headers, "webhook-id": "msg_1" });
  });

  it.each([302, 400, 410, 500])("is not taken by the answer %d", async (answer) => {
    status = answer;
    await expect(send()).rejects.toMatchObject({ code: "upstream-unavailable" });
    expect(seen).toHaveLength(1);
  });

  it("is not taken by a service that is away", async () => {
    await expect(forwardTo(forward, { fetch }).onHook("a", delivery, AbortSignal.timeout(1_000))).rejects.toMatchObject(
      {
        code: "upstream-unavailable",
      },
    );
  });
});

describe("the secret of a hook", () => {
  it("is read from a variable or a file", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "secret");
    writeFileSync(path, `${secret}\n`);
    expect(readHookSecret({ forward, secretFile: path }, {})).toBe(secret);
    expect(readHookSecret({ forward, secretEnv: "HOOK" }, { HOOK: secret })).toBe(secret);
    expect(readHookSecret({ forward }, {})).toBeUndefined();
  });

  it.each([
    ["a variable that is missing", { secretEnv: "HOOK" }, {}],
    ["one that is empty", { secretEnv: "HOOK" }, { HOOK: "" }],
    ["one of another form", { secretEnv: "HOOK" }, { HOOK: "hunter2" }],
    ["a file that is missing", { secretFile: "/nonexistent/secret" }, {}],
  ])("is refused of %s, and not repeated", (_, source, env) => {
    expect(() => readHookSecret({ forward, ...source }, env)).toThrow(/whsec_<base64/);
    expect(() => readHookSecret({ forward, ...source }, env)).not.toThrow(/hunter2/);
  });

  it("is given once at most", () => {
    const both = { hooks: { a: { forward, secretEnv: "A", secretFile: "b" } } };
    expect(inboxSettingsSchema.safeParse(both).error?.issues[0]?.message).toContain("given twice");
  });
});

describe("the settings of an inbox", () => {
  it.each([
    ["a name that cannot stand in a URL", { "A b": { forward } }],
    ["a hook that leads nowhere", { a: {} }],
    ["another protocol", { a: { forward: "ftp://127.0.0.1" } }],
    ["more than the edge takes", { a: { forward, maxBytes: 10_000_000 } }],
    ["too many hooks", Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`hook${n}`, { forward }]))],
  ])("refuse %s", (_, hooks) => {
    expect(inboxSettingsSchema.safeParse({ hooks }).success).toBe(false);
  });
});

describe("the key of an inbox", () => {
  it("is the same after each start, and so is what is made of it", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "inbox.key");
    const [one, again] = [inboxKeyOfPem(readOrCreateInboxKey(path)), inboxKeyOfPem(readOrCreateInboxKey(path))];
    expect(again.publicKey).toEqual(one.publicKey);
    expect(again.secret).toBe(one.secret);
    const other = inboxKeyOfPem(readOrCreateInboxKey(join(folder.path, "other.key")));
    expect(other.secret).not.toBe(one.secret);
  });

  it("is refused when it is of another kind", () => {
    expect(() => inboxKeyOfPem(generateIdentityPem())).toThrow("no PEM X25519 key");
    expect(() => inboxKeyOfPem("no key")).toThrow("no PEM X25519 key");
  });
});
