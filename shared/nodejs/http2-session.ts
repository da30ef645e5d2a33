/** The settings of an HTTP/2 tunnel, at both ends. */
import type { ClientSessionOptions, Http2Session, ServerSessionOptions } from "node:http2";
import { maxStreams, sessionWindowBytes, streamWindowBytes } from "../tunnel/http2.ts";

/** In MB. The default of 10 refuses new visitors once a few have stopped reading; windows and streams are the limit. */
const maxSessionMemory = 4_096;
/** Visitors that reset must not look like an attack of the relay: by default 1,000 of them end the session. */
const streamResets = 1_000_000;
const lingerMs = 1_000; // for the last frame to arrive

const settings = { initialWindowSize: streamWindowBytes, enablePush: false };

export const clientOptions: ClientSessionOptions = {
  maxSessionMemory,
  peerMaxConcurrentStreams: maxStreams,
  settings,
};

export const serverOptions: ServerSessionOptions = {
  maxSessionMemory,
  streamResetBurst: streamResets,
  streamResetRate: streamResets,
  settings: { ...settings, maxConcurrentStreams: maxStreams },
};

/** Once the session is connected: HTTP/2 has no setting for the window of a whole session. */
export function widen(session: Http2Session): void {
  session.setLocalWindowSize(sessionWindowBytes);
}

/** Lets the last frame out and closes; what still runs then is reset. */
export function closeSoon(session: Http2Session): void {
  if (session.destroyed) return;
  session.close();
  setTimeout(() => session.destroy(), lingerMs).unref();
}
