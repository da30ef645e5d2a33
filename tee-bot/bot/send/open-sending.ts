/** Everything by which the bot speaks in Signal, for one REST server, with one lane for all of it. */
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { Sensitive } from "../../../shared/sensitive.ts";
import type { Mailbox } from "../mail/mailbox.ts";
import type { SignalSettings } from "../settings.ts";
import type { IdentityApi } from "./identity-api.ts";
import { Breaker, type Pause } from "./breaker.ts";
import type { LaneState } from "./lane.ts";
import { openCalls } from "./open-calls.ts";
import { OperatorNotices, type Trouble } from "./operator-notices.ts";
import { ReplySender } from "./reply-sender.ts";
import { noCounts, type SendCounts } from "./send-counts.ts";
import type { CallLimits, SignalApi } from "./signal-api.ts";
import { SignalMessenger } from "./signal-messenger.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface SendingOptions {
  /** Of the REST server. */
  api: string;
  settings: Pick<SignalSettings, "limits" | "operators" | "typing" | "readReceipts">;
  mailbox: Mailbox;
  clock: Clock;
  log: Log;
  callLimits?: CallLimits | undefined;
}

/** Numbers and words only: it may be shown and logged. */
export interface SendingState {
  readonly counts: Readonly<SendCounts>;
  readonly lane: LaneState;
  /** Undefined: messages go out. */
  readonly pause: { readonly why: Pause["why"]; readonly until: number } | undefined;
  readonly troubles: readonly Trouble[];
}

export interface Sending extends Disposable {
  readonly api: SignalApi;
  readonly identities: IdentityApi;
  readonly messenger: SignalMessenger;
  /** Sends the mailbox's replies until `stop`. */
  run(stop: AbortSignal): Promise<void>;
  state(): SendingState;
  /** What an operator needs to lift a rate limit: for `postern signal status` alone. */
  challenge(): Sensitive<string> | undefined;
  /** After a challenge was answered: tries again at once. */
  retry(): void;
}

export function openSending({ api: url, settings, mailbox, clock, log, callLimits }: SendingOptions): Sending {
  const { limits, operators } = settings;
  const { api, identities, lane } = openCalls(url, callLimits);
  const breaker = new Breaker({ clock });
  const counts = noCounts();
  const notices = new OperatorNotices({ operators, clock, log });
  const bucket = new TokenBucket({ perSecond: limits.sendsPerSecond, burst: limits.sendBurst, clock });
  const sender = new ReplySender({ mailbox, api, bucket, breaker, notices, counts, clock, log });
  const messenger = new SignalMessenger({
    api,
    isPaused: () => breaker.pause !== undefined,
    showsTyping: settings.typing,
    marksRead: settings.readReceipts,
    counts,
    clock,
    log,
  });
  return {
    api,
    identities,
    messenger,
    run: (stop) => sender.run(stop),
    state: () => ({
      counts: { ...counts },
      lane: lane.state,
      pause: breaker.pause && { why: breaker.pause.why, until: breaker.pause.until },
      troubles: notices.troubles,
    }),
    challenge: () => (breaker.pause?.why === "rate-limited" ? breaker.pause.challenge : undefined),
    retry: () => breaker.retry(),
    [Symbol.dispose]: () => messenger[Symbol.dispose](),
  };
}
