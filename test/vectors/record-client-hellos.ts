/**
 * Records the first bytes of real TLS clients on loopback, and a few hellos built by hand, into
 * test/vectors/client-hello/. Run `node test/vectors/record-client-hellos.ts` to add what is installed here; what is not
 * stays as it was. Nobody answers the clients: what is written down is all they say before they wait.
 *
 * Expected names are those the clients were asked to use, never what our reader made of the bytes.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clients, type Client } from "./client-hello-clients.ts";
import { synthetic } from "./client-hello-synthetic.ts";
import type { Vector } from "./client-hellos.ts";

const folder = join(import.meta.dirname, "client-hello");
const index = join(folder, "index.json");
const quietMs = 400;
const clientTimeoutMs = 30_000;

const vectors = new Map((JSON.parse(readFileSync(index, "utf8")) as Vector[]).map((vector) => [vector.file, vector]));
const date = new Date().toISOString().slice(0, 10);

for (const { file, bytes, origin, serverName, alpn } of synthetic) {
  writeFileSync(join(folder, file), bytes);
  vectors.set(file, { file, origin, version: "built by hand", date, serverName, alpn });
}
for (const client of clients) {
  const bytes = await record(client);
  if (!bytes) {
    console.error(`${client.file}: not recorded`);
    continue;
  }
  writeFileSync(join(folder, client.file), bytes);
  const { file, origin, serverName, alpn } = client;
  vectors.set(file, { file, origin, version: await output(client.version), date, serverName, alpn });
  console.error(`${file}: ${bytes.length} bytes`);
}
const sorted = [...vectors.values()].toSorted((a, b) => a.file.localeCompare(b.file));
writeFileSync(index, `[\n${sorted.map((vector) => JSON.stringify(vector)).join(",\n")}\n]\n`); // a line each

/** All that the client's first connection sends until it is quiet; undefined when it never connects. */
async function record(client: Client): Promise<Buffer | undefined> {
  const scratch = mkdtempSync(join(tmpdir(), "hello-"));
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    let quiet = setTimeout(() => {}, 0);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      clearTimeout(quiet);
      chunks.push(chunk);
      quiet = setTimeout(() => {
        resolve(Buffer.concat(chunks));
        socket.destroy(); // a helper of the client may outlive it, and wait
      }, quietMs);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const [command, ...args] = client.command({ port: (server.address() as AddressInfo).port, scratch });
  const child = execFile(command, args, { timeout: clientTimeoutMs, killSignal: "SIGKILL" }, () => resolve(undefined));
  child.stdin?.on("error", () => {}); // left open: some clients stop when it ends
  const bytes = await promise;
  child.kill("SIGKILL");
  server.close();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  return bytes;
}

function output([command, ...args]: readonly [string, ...string[]]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: clientTimeoutMs }, (_, stdout, stderr) =>
      resolve((stdout || stderr).split("\n")[0]?.trim() ?? ""),
    );
  });
}
