import { buildConnector } from "undici";

/**
 * Connects to a service so that its reset is a failure whatever it answers. undici (8.12) takes `ECONNRESET` for the
 * end of an answer that has no length and no chunks, for the sake of macOS; half an answer would look complete.
 */
export function connectorOf(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options);
  return (target, callback) =>
    connect(target, (...[error, socket]) => {
      // Before undici listens: it goes by the code.
      socket?.on("error", (failure: NodeJS.ErrnoException) => {
        if (failure.code === "ECONNRESET") failure.code = "UPSTREAM_RESET";
      });
      callback(...([error, socket] as Parameters<buildConnector.Callback>));
    });
}
