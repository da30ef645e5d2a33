/**
 * Stands in for the account calls of signal-cli-rest-api, for commands that are typed by hand. It answers as upstream does
 * (bodies of its source at 0.100), and refuses as it does: `refusals` by path, `hangs` for one that never answers.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface AccountServer extends AsyncDisposable {
  readonly url: string;
  readonly calls: { method: string; path: string; body: unknown }[];
  numbers: string[];
  mode: string;
  readonly refusals: Map<string, { status: number; body: string }>;
  readonly hangs: Set<string>;
}

export const linkUri = "sgnl://linkdevice?uuid=1234&pub_key=BQ%2Fabc";

export async function startAccountServer(): Promise<AccountServer> {
  const calls: AccountServer["calls"] = [];
  const refusals: AccountServer["refusals"] = new Map();
  const hangs = new Set<string>();
  const server = createServer((request, response) => void respond(request, response));
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = "";
    for await (const part of request) text += String(part);
    const { method = "", url = "" } = request;
    const path = decodeURIComponent(url);
    calls.push({ method, path, body: text === "" ? undefined : JSON.parse(text) });
    if (hangs.has(path)) return;
    const refused = refusals.get(path);
    const { status, body } = refused ?? answer(method, path);
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stand: AccountServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    numbers: [],
    mode: "json-rpc",
    refusals,
    hangs,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stand;

  function answer(method: string, path: string): { status: number; body: string } {
    const json = (status: number, body: unknown) => ({ status, body: JSON.stringify(body) });
    if (path === "/v1/about")
      return json(200, { versions: ["v1", "v2"], build: 2, mode: stand.mode, version: "0.100", capabilities: {} });
    if (path === "/v1/accounts") return json(200, stand.numbers);
    if (path.startsWith("/v1/qrcodelink/raw")) return json(200, { device_link_uri: linkUri });
    if (path.startsWith("/v1/configuration/")) return json(200, { trust_mode: "on-first-use" });
    if (path.endsWith("/username"))
      return json(201, { username: "postern.42", username_link: "https://signal.me/#eu/x" });
    if (path.startsWith("/v1/register/")) return { status: 201, body: "" };
    if (method === "PUT" || path.endsWith("/rate-limit-challenge")) return { status: 204, body: "" };
    return json(404, { error: "not found" });
  }
}
