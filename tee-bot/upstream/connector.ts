import { buildConnector } from "undici";

/** What a connection fails with that was reset. */
export const resetCode = "UPSTREAM_RESET";

/**
 * Connects to a service or provider so that its reset is a failure whatever it answers. undici (8.12) takes `ECONNRESET`
 * for the end of an answer that has no length and no chunks, for the sake of macOS; half an answer would look complete.
 */
export function connectorOf(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options);
  return (target, callback) =>
    connect(target, (...[error, socket]) => {
      // Before undici listens: it goes by the code.
      socket?.on("error", (failure: NodeJS.ErrnoException) => {
        if (failure.code === "ECONNRESET") failure.code = resetCode;
      });
      callback(...([error, socket] as Parameters<buildConnector.Callback>));
    });
}
