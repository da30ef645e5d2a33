import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../../shared/errors.ts";
import { startControl, type Control } from "../../../tee-bot/control/control.ts";
import { controlFileSchema, nodeStatusSchema } from "../../../tee-bot/control/status.ts";
import { formatTarget, type Target } from "../../../tee-bot/expose/target.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { until } from "../../support/postern.ts";
import { openTestLedger } from "../support/ledger.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { nodeStatus } from "../support/node-status.ts";

const status = nodeStatus();

let stack: AsyncDisposableStack;
let path: string;
let control: Control;
let exposed: Target[];
let renew: () => void;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  path = join(stack.use(temporaryFolder()).path, "control.json");
  exposed = [];
  renew = () => {};
  const ledger = stack.use(openTestLedger());
  control = stack.use(
    await startControl({
      port: 0,
      path,
      status: () => status,
      expose: (target) => exposed.push(target),
      renew: () => renew(),
      ledger,
      tee: { tee: "none", reason: "No guest agent." },
      clock: new ManualClock(1_000),
    }),
  );
});
afterEach(() => stack.disposeAsync());

const file = () => controlFileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
const bearer = (): string => `Bearer ${file().token}`;
async function ask(asked: string, init: RequestInit = {}): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { authorization: bearer(), ...(init.headers as Record<string, string>) };
  const response = await fetch(new URL(asked, file().url), { ...init, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const put = (body: string, headers = {}) => ask("/v1/exposure", { method: "PUT", body, headers });

describe("the control API", () => {
  it("is found by its file, which only the owner can read", () => {
    expect(file()).toMatchObject({ url: `http://127.0.0.1:${control.port}`, pid: process.pid });
    expect(file().token).toMatch(/^[\w-]{43}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("takes its file along when it stops, and leaves no port open", async () => {
    const { port } = control;
    await control[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(false);
    const [error] = (await once(connect({ port, host: "127.0.0.1" }), "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
  });

  it("leaves alone the file of another process that was started since, and one that is gone", async () => {
    const other = JSON.stringify({ ...file(), token: "another" });
    writeFileSync(path, other);
    await control[Symbol.asyncDispose]();
    expect(readFileSync(path, "utf8")).toBe(other);
  });

  it("stops although a client keeps a half-sent request open", async () => {
    const client = connect({ port: control.port, host: "127.0.0.1" }).on("error", () => {});
    await once(client, "connect");
    client.write("PUT /v1/exposure HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{");
    await control[Symbol.asyncDispose]();
    client.resume();
    await until(() => client.destroyed, 1_000, "it is let go");
  });

  it("tells a status of the form that the CLI reads", async () => {
    const answer = await ask("/v1/status");
    expect(answer.status).toBe(200);
    expect(nodeStatusSchema.parse(answer.body)).toEqual(status);
  });

  it("orders a certificate when asked to, and says since when to look for it", async () => {
    let asked = 0;
    renew = () => void asked++;
    const answer = await ask("/v1/certificate/renewal", { method: "POST" });
    expect(answer).toEqual({ status: 202, body: { askedAt: 1_000 } });
    expect(asked).toBe(1);
  });

  it("says why no certificate can be ordered", async () => {
    renew = () => {
      throw new AppError("not-registered", "No name yet.");
    };
    const answer = await ask("/v1/certificate/renewal", { method: "POST" });
    expect(answer).toMatchObject({ status: 404, body: { code: "not-registered", detail: "No name yet." } });
  });

  it.each([undefined, "", "Bearer", "Bearer wrong", "Basic abc", `Bearer ${"x".repeat(43)}`])(
    "tells nothing and changes nothing with the authorization «%s»",
    async (authorization) => {
      for (const [method, asked] of [
        ["GET", "/v1/status"],
        ["PUT", "/v1/exposure"],
        ["POST", "/v1/certificate/renewal"],
        ["GET", "/anything"],
      ] as const) {
        const response = await fetch(new URL(asked, file().url), {
          method,
          headers: authorization === undefined ? {} : { authorization },
          ...(method === "PUT" && { body: '{"target":"gateway"}' }),
        });
        expect(response.status).toBe(403);
        expect(await response.json()).toMatchObject({ code: "forbidden" });
      }
      expect(exposed).toEqual([]);
    },
  );

  it("changes what is exposed, and answers with the status", async () => {
    const answer = await put('{"target":"http://127.0.0.1:3000/"}');
    expect(answer).toMatchObject({ status: 200, body: { node: status.node } });
    expect(exposed.map(formatTarget)).toEqual(["http://127.0.0.1:3000"]);
  });

  it.each(["", "{", "null", "[]", "{}", '{"target":7}', '{"target":""}', '{"target":"3000"}', '{"target":"ftp://x"}'])(
    "refuses the body «%s»",
    async (body) => {
      expect(await put(body, { "content-length": String(body.length) })).toMatchObject({
        status: 400,
        body: { code: "bad-request" },
      });
      expect(exposed).toEqual([]);
    },
  );

  it("refuses a body that is too large, or does not say how large it is", async () => {
    expect(await put(JSON.stringify({ target: "x".repeat(20_000) }))).toMatchObject({ status: 413 });
    const chunks = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"target":"gateway"}'));
        controller.close();
      },
    });
    const streamed = { method: "PUT", body: chunks, duplex: "half" } as RequestInit;
    expect(await ask("/v1/exposure", streamed)).toMatchObject({ status: 413, body: { code: "too-large" } });
    expect(exposed).toEqual([]);
  });

  it("answers with a problem where there is nothing", async () => {
    expect(await ask("/v1/nothing")).toMatchObject({ status: 404, body: { code: "not-found" } });
    expect(await ask("/v1/status", { method: "DELETE" })).toMatchObject({ status: 404 });
  });
});
