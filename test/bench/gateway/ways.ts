/** The ways from a client to one and the same upstream that are compared, all running at once on loopback. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../support/postern.ts";
import { startListening, stop } from "../support/processes.ts";
import { compile } from "../support/tools.ts";
import { kinds, requestOf, writeAnswers, type Kind } from "./answers.ts";
import { readCores, pinned, type Cores } from "./cores.ts";
import { installPortkey, portkeyHeaders, startPortkey } from "./peers/portkey.ts";
import { startProduct } from "./product.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

export const wayNames = ["direct", "raw", "portkey", "postern"] as const;
export type WayName = (typeof wayNames)[number];

export interface Way {
  readonly name: WayName;
  readonly port: number;
  /** What stands in between. */
  readonly pid: number | undefined;
  /** Files with a call of each kind, as this way has to be asked. */
  readonly requests: Readonly<Record<Kind, string>>;
}

export interface Ways extends AsyncDisposable {
  /** Without Portkey where that cannot be installed. */
  readonly all: readonly Way[];
  readonly upstream: Upstream;
  readonly client: string;
  readonly cores: Cores;
  /** Of the files that load client and upstream share. */
  readonly directory: string;
}

const providerKey = { authorization: "Bearer sk-bench" };

export async function startWays(directory: string): Promise<Ways> {
  await using stack = new AsyncDisposableStack();
  mkdirSync(directory, { recursive: true });
  writeAnswers(directory);
  const cores = readCores();
  const here = import.meta.dirname;
  const figures = join(here, "../load/figures.c");
  const client = compile([join(here, "client"), figures], join(directory, "client"));
  const upstream = stack.use(
    await startUpstream(compile([join(here, "upstream"), figures], join(directory, "upstream")), directory, cores),
  );
  const [upstreamPort] = upstream.ports;
  const wayOf = (name: WayName, port: number, pid: number | undefined, headers: Record<string, string>): Way => {
    const requests = { json: "", burst: "", paced: "" };
    for (const kind of kinds) {
      requests[kind] = join(directory, `${name}-${kind}.request`);
      writeFileSync(requests[kind], requestOf(kind, headers));
    }
    return { name, port, pid, requests };
  };

  const all = [wayOf("direct", upstreamPort, undefined, providerKey)];

  const rawPort = await freePort();
  const rawArgs = [join(here, "peers/raw-proxy.ts"), String(rawPort), String(upstreamPort)];
  const rawCommand = pinned(cores.proxy, process.execPath, rawArgs);
  const raw = await startListening(rawCommand, rawPort, ["ignore", "ignore", "inherit"]);
  stack.defer(() => stop(raw));
  all.push(wayOf("raw", rawPort, raw.pid, providerKey));

  const program = installPortkey();
  if (program !== undefined) {
    const port = await freePort();
    const portkey = await startPortkey(program, port, cores);
    stack.defer(() => stop(portkey));
    all.push(wayOf("portkey", port, portkey.pid, portkeyHeaders(upstreamPort)));
  }

  const port = await freePort();
  const product = await startProduct(port, upstream.ports, directory, cores);
  stack.defer(() => stop(product.process));
  all.push(wayOf("postern", port, product.process.pid, { authorization: `Bearer ${product.key}` }));

  const running = stack.move();
  return { all, upstream, client, cores, directory, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
