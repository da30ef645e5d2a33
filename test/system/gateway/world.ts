/** The gateway behind a public name: every process, a provider that the test plays, and clients that come through the relay. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, fetch as undiciFetch, type Dispatcher } from "undici";
import { stringify } from "yaml";
import { lookupWithLoopback } from "../../../shared/nodejs/loopback-lookup.ts";
import type { ClientOptions } from "../../support/clients/client.ts";
import { startPostern, until, type Postern } from "../../support/postern.ts";
import { startUpstream, type Upstream, type UpstreamOptions } from "../../support/upstream/upstream.ts";
import type { SettingsInput } from "../../support/gateway.ts";

export type Protocol = "http/1.1" | "h2";

export interface GatewayWorld extends AsyncDisposable {
  readonly postern: Postern;
  readonly upstream: Upstream;
  /** `https://demo…/v1`, as a client takes it. */
  readonly baseUrl: string;
  readonly key: string;
  /** Connections to the relay that trust its CA; the caller need not close it. */
  dispatcher(protocol: Protocol): Dispatcher;
  /** What an SDK is made with. */
  clientOptions(protocol?: Protocol): ClientOptions;
}

export interface GatewayWorldOptions extends UpstreamOptions {
  readonly settings?: SettingsInput;
  /** Providers by id and the models offered of each, all at the stand-in. A breaker is one provider's. */
  readonly providers?: Readonly<Record<string, readonly string[] | undefined>>;
}

const listedMs = 20_000;

/** One provider, `main`, unless there are others; nothing else of this machine is looked for. */
export async function startGatewayWorld(options: GatewayWorldOptions = {}): Promise<GatewayWorld> {
  const { settings, providers = { main: undefined }, ...upstreamOptions } = options;
  const stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream(upstreamOptions));
  const directory = mkdtempSync(join(tmpdir(), "postern-gateway-world-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const config = join(directory, "postern.yaml");
  const gateway = {
    discovery: { ollama: "off", lmStudio: "off" },
    embedded: { demo: false },
    ...settings,
    providers: Object.entries(providers).map(([id, models]) => ({ kind: "openai", id, url: upstream.baseUrl, models })),
  };
  writeFileSync(config, stringify({ version: 1, gateway }));
  const postern = stack.use(await startPostern({ env: { POSTERN_CONFIG: config } }));

  const { run, ca } = postern;
  const { key } = run.node;
  const agents = new Map<Protocol, Agent>();
  stack.defer(async () => {
    for (const agent of agents.values()) await agent.destroy();
  });
  const dispatcher = (protocol: Protocol): Agent => {
    const known = agents.get(protocol);
    if (known) return known;
    const connect = { ca, lookup: lookupWithLoopback };
    const agent = new Agent({
      allowH2: protocol === "h2",
      connect,
      connections: protocol === "h2" ? 4 : 256,
      bodyTimeout: 0,
    });
    agents.set(protocol, agent);
    return agent;
  };
  const baseUrl = `${run.node.url.replace(/\/$/, "")}/v1`;
  const clientOptions: GatewayWorld["clientOptions"] = (protocol = "http/1.1") => {
    const through = { dispatcher: dispatcher(protocol) };
    const fetch = (url: unknown, init: object): unknown => undiciFetch(url as string, { ...init, ...through });
    return { baseUrl, apiKey: key, fetch: fetch as typeof globalThis.fetch };
  };
  const listsModels = async (): Promise<boolean> => {
    const answer = await undiciFetch(`${baseUrl}/models`, {
      dispatcher: dispatcher("http/1.1"),
      headers: { authorization: `Bearer ${key}` },
    });
    return (await answer.text()).includes("normal");
  };
  await until(listsModels, listedMs, "the gateway lists the provider's models");
  return {
    postern,
    upstream,
    baseUrl,
    key,
    dispatcher,
    clientOptions,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
