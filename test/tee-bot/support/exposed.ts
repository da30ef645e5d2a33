/** A local service of the test's, behind a public name, through the HTTP proxy. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { silentLog } from "../../../shared/log.ts";
import { HttpProxy } from "../../../tee-bot/expose/http-proxy.ts";
import { startPublicName, type PublicName } from "./public-name.ts";
import { startRawService, type RawService } from "./raw-service.ts";

export async function expose(stack: AsyncDisposableStack, origin: string): Promise<PublicName> {
  const proxy = new HttpProxy({ origin, log: silentLog });
  stack.defer(() => proxy.close());
  return stack.use(await startPublicName(proxy));
}

export async function exposeHttp(stack: AsyncDisposableStack, listener: RequestListener): Promise<PublicName> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return expose(stack, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

export async function exposeRaw(
  stack: AsyncDisposableStack,
  onData: Parameters<typeof startRawService>[0],
): Promise<{ service: RawService; name: PublicName }> {
  const service = stack.use(await startRawService(onData));
  return { service, name: await expose(stack, service.origin) };
}
