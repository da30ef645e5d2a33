/** Health and metrics on a port of their own, for the operator; the public port never speaks HTTP. */
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";

const requestMs = 5_000;

export interface Health {
  /** Visitors of known names are served. */
  ok: boolean;
  relay: string;
  draining: boolean;
  feed: { connected: boolean; heardMsAgo: number | null };
  heartbeat: { acceptedMsAgo: number | null };
  routes: number;
  /** Other relays of the fleet that it knows. */
  others: number;
  tunnels: number;
  visitors: number;
}

export interface PrivatePortOptions {
  host: string;
  port: number;
  health: () => Health;
  /** In the text format of Prometheus. */
  metrics: () => Promise<string>;
}

/** Answers the server, listening. Rejects when it cannot listen. */
export async function startPrivatePort({ host, port, health, metrics }: PrivatePortOptions): Promise<{
  port: number;
  server: Server;
}> {
  const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, (request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    const [pathname] = (request.url ?? "/").split("?");
    if (request.method !== "GET" && request.method !== "HEAD") answer(405, "text/plain", "GET or HEAD\n");
    else if (pathname === "/healthz") {
      const now = health();
      answer(now.ok ? 200 : 503, "application/json", `${JSON.stringify(now)}\n`);
    } else if (pathname === "/readyz") {
      const { ok, draining } = health();
      if (ok) answer(200, "text/plain", "ready\n");
      else answer(503, "text/plain", draining ? "draining\n" : "the routes are not known yet\n");
    } else if (pathname === "/metrics")
      metrics().then(
        (text) => answer(200, Registry.PROMETHEUS_CONTENT_TYPE, text),
        () => answer(500, "text/plain", "The metrics could not be read.\n"),
      );
    else answer(404, "text/plain", "Here are /healthz, /readyz and /metrics.\n");
  });
  server.listen(port, host);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, server };
}
