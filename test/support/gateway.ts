/** A gateway as the node runs it, at a port of its own, over providers that the test starts. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { systemClock, type Clock } from "../../shared/clock.ts";
import { silentLog, type Log } from "../../shared/log.ts";
import type { Surface } from "../../tee-bot/gateway/api/call.ts";
import { createGateway, type Gateway } from "../../tee-bot/gateway/gateway.ts";
import { openEmbedded } from "../../tee-bot/gateway/providers/embedded.ts";
import { gatewaySettingsSchema, type GatewaySettings } from "../../tee-bot/gateway/settings.ts";

export type SettingsInput = z.input<typeof gatewaySettingsSchema>;

export interface TestGatewayOptions {
  /** Providers by id, each by its base URL; `models`: those that are offered of it. */
  readonly providers: Readonly<Record<string, { readonly baseUrl: string; readonly models?: string[] }>>;
  readonly settings?: SettingsInput;
  /** With the model that ships, in an engine of its own. */
  readonly demo?: boolean;
  readonly surface?: Surface;
  readonly ownKey?: string;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log?: Log;
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly origin: string;
  /** As a client takes it: with `/v1`. */
  readonly baseUrl: string;
  readonly settings: GatewaySettings;
}

const visitor = { sourceAddress: "127.0.0.1", sourcePort: 4711, destinationAddress: "127.0.0.1", destinationPort: 80 };

/** Resolves once every provider was asked for its models. Of this machine's own programs none is looked for. */
export async function startGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const { clock = systemClock, random = Math.random, log = silentLog, surface = "local", demo = false } = options;
  const settings = settingsOf(options);
  const directory = mkdtempSync(join(tmpdir(), "postern-gateway-"));
  const health = () => ({ status: "healthy" as const, tee: "none" as const, hostnames: [], steps: [] });
  const gateway = createGateway({
    settings,
    directory,
    clock,
    random,
    log,
    health,
    ownKey: options.ownKey,
    ...(demo && { openEmbedded: (embedded) => openEmbedded(embedded, { clock, log }) }),
  });
  const handler = gateway.handler(surface);
  const server = createServer((request, response) => handler.request(request, response, visitor));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await gateway[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  };
  await gateway.ready;
  return { gateway, origin, baseUrl: `${origin}/v1`, settings, [Symbol.asyncDispose]: stop };
}

export function settingsOf({
  providers,
  settings = {},
  demo = false,
}: Pick<TestGatewayOptions, "providers" | "settings" | "demo">): GatewaySettings {
  const ours = Object.entries(providers).map(([id, { baseUrl: url, models }]) => ({ kind: "openai", id, url, models }));
  return gatewaySettingsSchema.parse({
    discovery: { ollama: "off", lmStudio: "off" },
    embedded: { demo },
    ...settings,
    providers: [...ours, ...(settings.providers ?? [])],
  });
}
