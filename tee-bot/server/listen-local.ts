import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError, errorText } from "../../shared/errors.ts";

/** A server of the node's own machine; disposing of it ends its connections too, so that they keep no process alive. */
export interface LocalServer extends AsyncDisposable {
  readonly port: number;
}

/** Listens on 127.0.0.1, or where else is said. `purpose` names the server in the error when the port is taken. */
export async function listenLocal(
  server: Server,
  port: number,
  purpose: string,
  host = "127.0.0.1",
): Promise<LocalServer> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "another program has it" : errorText(error);
      reject(new AppError("bad-request", `Port ${port} for the ${purpose} cannot be used: ${why}.`, { cause: error }));
    });
    server.listen({ host, port }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
