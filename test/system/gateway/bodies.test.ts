import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../../support/visit.ts";
import { faultsOf } from "../../tee-bot/gateway/conformance/shapes.ts";
import { startGatewayWorld, type GatewayWorld, type Protocol } from "./world.ts";

const mib = 1 << 20;
/** Of the gateway, unless it is told otherwise. */
const limitMiB = 32;

let world: GatewayWorld;
let directory: string;
beforeAll(async () => {
  world = await startGatewayWorld();
  directory = mkdtempSync(join(tmpdir(), "postern-bodies-"));
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await world[Symbol.asyncDispose]();
});

/** A request of exactly so many bytes. */
function bodyOf(bytes: number): string {
  const [before, after] = ['{"model":"normal","messages":[{"role":"user","content":"', '"}]}'];
  return before + "y".repeat(bytes - before.length - after.length) + after;
}

async function statusOf(body: string, protocol: Protocol): Promise<number> {
  world.upstream.forget();
  const answer = await request(`${world.baseUrl}/chat/completions`, {
    method: "POST",
    dispatcher: world.dispatcher(protocol),
    headers: { authorization: `Bearer ${world.key}`, "content-type": "application/json" },
    body,
  });
  await answer.body.dump();
  return answer.statusCode;
}

/**
 * By curl: an HTTP/2 client of Node resets any answer that comes while it has more than 10 MB to send (`maxSessionMemory`,
 * Node 24).
 */
async function uploadByCurl(body: string, protocol: Protocol, headers: readonly string[] = []) {
  const file = join(directory, "body.json");
  writeFileSync(file, body);
  world.upstream.forget();
  const all = [`authorization: Bearer ${world.key}`, "content-type: application/json", ...headers];
  const args = ["--silent", "--cacert", world.postern.caPath, protocol === "h2" ? "--http2" : "--http1.1"];
  args.push(...all.flatMap((header) => ["--header", header]), "--data-binary", `@${file}`);
  args.push("--write-out", "\n%{http_code} %{http_version}", `${world.baseUrl}/chat/completions`);
  const { code, stdout } = await runProgram("curl", args, { timeout: 60_000 });
  const [text = "", status = ""] = stdout.split(/\n(?=\d{3} \S+$)/);
  return { code, text, status };
}

describe.each<Protocol>(["http/1.1", "h2"])("a body through the public name over %s", (protocol) => {
  it.each([30 * mib, limitMiB * mib])("of %i bytes reaches the provider whole", async (bytes) => {
    const body = bodyOf(bytes);
    expect(await statusOf(body, protocol)).toBe(200);
    expect(world.upstream.calls[0]?.body.equals(Buffer.from(body))).toBe(true);
  });

  it.each([
    ["said at once", []],
    ["found out on the way", ["content-length:", ...(protocol === "h2" ? [] : ["transfer-encoding: chunked"])]],
  ])("above the limit is refused, and the client hears of it: its length %s", async (_, headers) => {
    const { status, text } = await uploadByCurl(bodyOf((limitMiB + 8) * mib), protocol, headers);
    expect(status).toBe(`413 ${protocol === "h2" ? 2 : 1.1}`);
    expect(faultsOf("error", JSON.parse(text))).toEqual([]);
    expect(world.upstream.calls).toEqual([]);
    expect(await statusOf(bodyOf(1_000), protocol)).toBe(200);
  });
});
