import { spawn, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../support/postern.ts";
import { listens } from "./processes.ts";

/** Passes TLS through by SNI as Postern's relay does, in one thread. */
export async function startHaproxy(directory: string, serverName: string, serverPort: number) {
  const port = await freePort();
  const path = join(directory, `haproxy-${port}.cfg`);
  writeFileSync(
    path,
    `global
  nbthread 1
  maxconn 7000
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 15m
  timeout server 15m
frontend visitors
  bind 127.0.0.1:${port}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend service if { req.ssl_sni -i ${serverName} }
backend service
  server one 127.0.0.1:${serverPort}
`,
  );
  const child: ChildProcess = spawn("haproxy", ["-db", "-f", path], { stdio: ["ignore", "ignore", "inherit"] });
  await listens(port, child);
  return { process: child, port };
}
