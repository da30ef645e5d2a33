import { createHash } from "node:crypto";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { startPostern, until, type Postern } from "../support/postern.ts";
import { hashOfBytes, startService, type Service } from "../support/service.ts";
import { open, optionsFor, runProgram, visit } from "../support/visit.ts";

describe("a visitor of the gateway", () => {
  let postern: Postern;
  beforeAll(async () => void (postern = await startPostern()));
  afterAll(() => postern[Symbol.asyncDispose]());

  it("gets 200 with the curl line that was printed", async () => {
    await until(() => postern.stderr().includes("curl --cacert"), 2_000, "the line is printed");
    const line = /curl --cacert .*/.exec(postern.stderr())?.[0] ?? "";
    const { code, stdout } = await runProgram("sh", ["-c", `${line} --silent --fail`]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ model: "postern-demo", choices: [{ finish_reason: "stop" }] });
  });

  it("is refused by curl without the CA root", async () => {
    const { code } = await runProgram("curl", ["--silent", postern.run.node.url]);
    expect(code).toBe(60); // the peer's certificate cannot be authenticated
  });

  it("sees with openssl a chain that verifies for the name", async () => {
    const { run } = postern;
    const name = run.node.hostnames[0] ?? "";
    const address = `${run.relay.host}:${run.relay.port}`;
    const args = [
      "s_client",
      "-connect",
      address,
      "-servername",
      name,
      "-CAfile",
      postern.caPath,
      "-verify_hostname",
      name,
    ];
    const { stdout } = await runProgram("openssl", [...args, "-verify_return_error", "-brief"], { input: "" });
    const { stderr, code } = await runProgram("openssl", [...args, "-verify_return_error", "-brief"]);
    expect(code).toBe(0);
    expect(stdout + stderr).toContain("Verification: OK");
    expect(stdout + stderr).toContain("TLSv1.3");
  });

  it("reaches the node by either of its names", async () => {
    for (const hostname of postern.run.node.hostnames) {
      const { status, body } = await visit(postern, "/", { servername: hostname, headers: { host: hostname } });
      expect(status).toBe(200);
      expect(body).toContain("A private AI node");
    }
  });

  it("is asked for a key by the API, in OpenAI's form of errors", async () => {
    const refused = await visit(postern, "/v1/models");
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.body)).toMatchObject({
      error: { type: "authentication_error", code: "invalid_api_key" },
    });
  });

  it("speaks HTTP/2 when both sides can", async () => {
    const session = connectHttp2(postern.run.node.url, {
      createConnection: () => connectTls({ ...optionsFor(postern), ALPNProtocols: ["h2"] } as never),
    });
    const paths = ["/healthz", "/v1/models", "/"];
    const statuses = await Promise.all(
      paths.map(
        (path) =>
          new Promise((resolve, reject) => {
            const stream = session.request({ ":path": path });
            stream.once("response", (headers) => resolve(headers[":status"]));
            stream.once("error", reject);
            stream.resume();
          }),
      ),
    );
    session.close();
    expect(statuses).toEqual([200, 401, 200]);
  });

  it("gets a TLS alert for a name that nobody has, and the same for one below the zone's names", async () => {
    for (const name of ["nobody.postern.localhost", "a.demo.postern.localhost", "example.com"]) {
      const { code, stderr } = await runProgram("curl", [
        "--silent",
        "--show-error",
        "--insecure",
        "--connect-to",
        `::127.0.0.1:${postern.run.relay.port}`,
        `https://${name}/`,
      ]);
      expect(code).toBe(35);
      expect(stderr).toMatch(/unrecognized name/i);
    }
  });
});

describe("a visitor of an exposed HTTP service", () => {
  let postern: Postern;
  let service: Service;
  beforeAll(async () => {
    service = await startService();
    postern = await startPostern({ args: ["--expose", service.url] });
  });
  afterAll(async () => {
    await postern[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  it("is told to the service by address, whatever the visitor claims", async () => {
    const claims = { "x-forwarded-for": "6.6.6.6", forwarded: "for=6.6.6.6", "x-real-ip": "6.6.6.6", "x-own": "kept" };
    const headers = JSON.parse((await visit(postern, "/headers", { headers: claims })).body) as Record<string, string>;
    expect(headers).toMatchObject({
      host: "demo.postern.localhost",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "demo.postern.localhost",
      forwarded: 'for=127.0.0.1;host="demo.postern.localhost";proto=https',
      "x-own": "kept",
    });
    expect(headers["x-real-ip"]).toBeUndefined();
  });

  it("downloads 1 GiB whose hash is right", async () => {
    const response = await open(postern, "/bytes?mib=1024");
    const hash = createHash("sha256");
    for await (const chunk of response) hash.update(chunk as Buffer);
    expect(hash.digest("hex")).toBe(hashOfBytes(1024));
  });

  it("uploads a body whose hash is right", async () => {
    const body = "an upload, ".repeat(400_000);
    const answer = await visit(postern, "/upload", { method: "POST", body });
    expect(answer.body).toBe(createHash("sha256").update(body).digest("hex"));
  });

  it("is one of 200 at once, and each gets its own answer", async () => {
    const visits = Array.from({ length: 200 }, (_, index) =>
      visit(postern, "/headers", { headers: { "x-visitor": String(index) } }),
    );
    const seen = (await Promise.all(visits)).map(
      ({ body }) => (JSON.parse(body) as Record<string, string>)["x-visitor"],
    );
    expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => String(index)));
  });

  it("hears its words back over a WebSocket, text and binary", async () => {
    const { host, port, servername, ca } = optionsFor(postern);
    const socket = new WebSocket(`wss://${host}:${port}/echo`, {
      servername,
      ca,
      headers: { host: String(servername) },
    } as never);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const large = Buffer.alloc(1 << 20, 7);
    for (const message of ["hello", large]) {
      const echoed = new Promise<Buffer>((resolve) => socket.once("message", (data: Buffer) => resolve(data)));
      socket.send(message);
      expect((await echoed).equals(Buffer.from(message))).toBe(true);
    }
    socket.close();
    await new Promise((resolve) => socket.once("close", resolve));
  });

  it("gets each event when it happens, not at the end", async () => {
    const response = await open(postern, "/events?count=8&everyMs=100");
    const arrivals: number[] = [];
    for await (const chunk of response)
      for (const _ of (chunk as Buffer).toString().matchAll(/data:/g)) arrivals.push(performance.now());
    expect(arrivals).toHaveLength(8);
    const gaps = arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? 0));
    expect(gaps.filter((gap) => gap > 50).length).toBeGreaterThanOrEqual(6); // buffered, they would come together
  });

  it("never takes an answer for complete that the service broke off", async () => {
    await expect(visit(postern, "/cut")).rejects.toThrow(/aborted|socket hang up|ECONNRESET/);
    const http2 = await runProgram("curl", [
      "--silent",
      "--http2",
      "--cacert",
      postern.caPath,
      `${postern.run.node.url}/cut`,
    ]);
    expect(http2.stdout).toBe("the first half");
    expect(http2.code).not.toBe(0);
  });

  it("ends the service's work when it leaves", async () => {
    const before = service.abandoned();
    const response = await open(postern, "/endless");
    await new Promise((resolve) => response.once("data", resolve));
    response.destroy();
    await until(() => service.abandoned() > before, 2_000, "the service notices");
  });

  it("is told plainly when the service is not there", async () => {
    await using other = await startPostern({ args: ["--expose", "http://127.0.0.1:9"] });
    const { status, headers, body } = await visit(other, "/");
    expect(status).toBe(502);
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(body)).toMatchObject({ code: "upstream-unavailable", status: 502 });
  });
});
