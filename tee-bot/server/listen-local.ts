import type { AddressInfo, Server } from "node:net";
import { AppError, errorText } from "../../shared/errors.ts";

/** Listens on 127.0.0.1 and resolves to the port. `purpose` names the server in the error when the port is taken. */
export function listenLocal(server: Server, port: number, purpose: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "another program has it" : errorText(error);
      reject(new AppError("bad-request", `Port ${port} for the ${purpose} cannot be used: ${why}.`, { cause: error }));
    });
    server.listen({ host: "127.0.0.1", port }, () => resolve((server.address() as AddressInfo).port));
  });
}
