import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { readFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseProxyHeader } from "../../shared/tunnel/proxy-header.ts";
import { root, startPostern, type Postern } from "../support/postern.ts";
import { runProgram, visit } from "../support/visit.ts";

describe("a TLS server behind the name", () => {
  let postern: Postern;
  beforeAll(async () => void (postern = await startPostern()));
  afterAll(() => postern[Symbol.asyncDispose]());

  const expose = (target: string) =>
    runProgram(process.execPath, [
      join(root, "tee-bot/cli/main.ts"),
      "expose",
      target,
      "--state",
      join(postern.run.state, "node"),
    ]);

  it("ends the visitor's TLS itself, with the node's certificate if it likes", async () => {
    const directory = join(postern.run.state, "node");
    const server = createHttpsServer(
      { cert: readFileSync(join(directory, "certificate.pem")), key: readFileSync(join(directory, "tls.key")) },
      (request, response) => response.end(`raw ${request.url}`),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { code, stdout } = await expose(`tls://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(stdout).toContain("now leads to tls://");
    expect(code).toBe(0);
    expect((await visit(postern, "/here")).body).toBe("raw /here");
    server.closeAllConnections();
    server.close();
  });

  it("learns the visitor's address from a PROXY v2 header when it asks for one", async () => {
    const received: Buffer[][] = []; // of each connection; the node's own checks connect, too
    const server = createTcpServer((socket) => {
      const chunks: Buffer[] = [];
      received.push(chunks);
      socket.on("data", (chunk) => chunks.push(chunk)).on("error", () => {});
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await expose(`tls://127.0.0.1:${(server.address() as AddressInfo).port}?proxy=v2`);
    await expect(visit(postern, "/", { timeout: 500 })).rejects.toThrow("timed out");
    const announced = received.flatMap((chunks) => {
      const bytes = Buffer.concat(chunks);
      const header = parseProxyHeader(bytes);
      return header.kind === "header" ? [{ ...header.addresses, next: bytes[header.length] }] : [];
    });
    expect(announced).toContainEqual({
      sourceAddress: "127.0.0.1",
      sourcePort: expect.any(Number) as number,
      destinationAddress: "127.0.0.1",
      destinationPort: postern.run.relay.port,
      next: 0x16, // the visitor's ClientHello, untouched
    });
    server.close();
  });

  it("gives way to the gateway again when told", async () => {
    await expose("gateway");
    expect((await visit(postern, "/healthz")).status).toBe(200);
  });

  it("that is not there ends the visitor's connection with an alert", async () => {
    await expose("tls://127.0.0.1:9");
    const { code, stderr } = await runProgram("curl", ["-sS", "--cacert", postern.caPath, postern.run.node.url]);
    expect(code).toBe(35);
    expect(stderr).toMatch(/internal error/i);
  });
});
