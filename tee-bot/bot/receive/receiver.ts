/**
 * Takes in what people write to the bot: joins the webhook, what else brings messages, and the mailbox's slot. Nothing here can
 * send, so a webhook is never kept waiting for a call to who posts it.
 */
import type { Server } from "node:http";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { isLoopbackUrl } from "../../../shared/loopback.ts";
import type { Sensitive } from "../../../shared/sensitive.ts";
import { listenLocal } from "../../server/listen-local.ts";
import { createLocalHttp } from "../../server/local-http.ts";
import type { HttpHandler } from "../../server/terminator.ts";
import type { MailSlot } from "../mail/mailbox.ts";
import type { SignalSettings } from "../settings.ts";
import { hookUrl } from "./credential.ts";
import { Fetching, type FetchingState } from "./fetching.ts";
import { Hook } from "./hook.ts";
import { Intake, type IntakeState } from "./intake.ts";
import type { Fetch } from "./rest-look.ts";

export interface ReceiverOptions {
  settings: Pick<SignalSettings, "api" | "account" | "receive">;
  slot: MailSlot;
  /** The webhook's password. */
  secret: Sensitive<string>;
  fetch: Fetch;
  clock: Clock;
  log: Log;
  random: () => number;
}

export interface ReceiverState extends IntakeState {
  readonly fetching: FetchingState;
}

export interface Receiver extends AsyncDisposable {
  readonly port: number;
  /** For `RECEIVE_WEBHOOK_URL`, on this machine. */
  readonly url: Sensitive<string>;
  /** Answers at `hookPath` of the node's public name; undefined unless the settings ask for it. */
  readonly publicHook: HttpHandler | undefined;
  state(): ReceiverState;
}

const finishMs = 1_000;

/** Throws {@link AppError} when the port is taken. The slot is left open. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { settings, slot, secret, clock, log } = options;
  const { host, port, websocket, public: isPublic } = settings.receive;
  const stop = new AbortController();
  const common = { clock, log };
  const fetching = new Fetching({
    ...options,
    api: settings.api ?? "",
    useWebSocket: websocket,
    onParams: (params, bytes) => void intake.take(params, bytes),
  });
  let running = Promise.resolve();
  const onAccount = (account: string): void => {
    if (settings.api !== undefined) running = fetching.run(account, stop.signal);
  };
  const intake = new Intake({ slot, account: settings.account, onAccount, ...common });
  const server = createLocalHttp(new Hook({ intake, secret, isPublic: false, ...common }));
  const local = await listenLocal(server, port, "webhook of Signal", host);
  const origin = originOf(host, local.port);
  if (!isLoopbackUrl(origin)) log.warn("hook.unencrypted", { host, why: "messages come over plain HTTP" });
  log.info("receiver.started", { host, port: local.port, isPublic });
  if (settings.account !== undefined) onAccount(settings.account);
  return {
    port: local.port,
    url: hookUrl(secret, origin),
    publicHook: isPublic ? new Hook({ intake, secret, isPublic: true, ...common }) : undefined,
    state: () => ({ ...intake.state(), fetching: fetching.state }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await finishRequests(server);
      await local[Symbol.asyncDispose]();
      await running;
      intake[Symbol.dispose]();
    },
  };
}

function originOf(host: string, port: number): URL {
  return new URL(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
}

/** What is being posted is stored still: it is not posted again. */
function finishRequests(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(resolve, finishMs);
    server.close(() => {
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
