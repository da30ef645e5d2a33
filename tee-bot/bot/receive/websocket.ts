import { WebSocket } from "ws";
import { parseJson } from "../../../shared/parse-json.ts";
import { errorText } from "../../../shared/errors.ts";
import { lookupWithLoopback } from "../../../shared/nodejs/loopback-lookup.ts";

export interface ListenOptions {
  /** Of the REST server. */
  api: string;
  account: string;
  /** Of one message. */
  onParams: (params: unknown, bytes: number) => void;
  onOpen: () => void;
  /** The REST server pings every 54 s (`pingPeriod` in its api.go); after so long without anything the connection is dead. */
  silenceMs?: number;
}

const usualSilenceMs = 150_000;
const handshakeMs = 10_000;
const maxFrameBytes = 1024 * 1024;

/**
 * Listens at `ws://…/v1/receive/{number}` until the connection ends; why it did. It gives what the webhook gives. What comes in
 * while nobody listens is not kept for anyone.
 */
export function listenOnce(options: ListenOptions, signal: AbortSignal): Promise<string> {
  const { api, account, onParams, onOpen, silenceMs = usualSilenceMs } = options;
  const url = new URL(`/v1/receive/${encodeURIComponent(account)}`, api.replace(/^http/, "ws"));
  return new Promise((resolve) => {
    let reason = "";
    const socket = new WebSocket(url, {
      handshakeTimeout: handshakeMs,
      maxPayload: maxFrameBytes,
      perMessageDeflate: false,
      lookup: lookupWithLoopback,
    });
    const end = (why: string) => (): void => {
      reason ||= why;
      socket.terminate();
    };
    const silence = setTimeout(end("nothing was heard, not even a ping"), silenceMs);
    const stop = end("stopped");
    signal.addEventListener("abort", stop, { once: true });
    socket.on("open", onOpen);
    socket.on("ping", () => silence.refresh());
    socket.on("message", (data: Buffer) => {
      silence.refresh();
      onParams(parseJson(data.toString()), data.length);
    });
    socket.on("error", (error) => (reason ||= errorText(error)));
    socket.on("close", (code) => {
      clearTimeout(silence);
      signal.removeEventListener("abort", stop);
      resolve(reason || `closed with code ${code}`);
    });
  });
}

/** Undefined for what is no JSON, which is malformed then. */
