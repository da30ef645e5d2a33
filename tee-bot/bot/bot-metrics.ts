import { Counter, Gauge, type Registry } from "prom-client";
import type { BotState } from "./bot-state.ts";

/** Adds the numbers of the bot to those of the gateway: none of them names a person. */
export function addBotMetrics(registry: Registry, state: () => BotState): void {
  const gauge = (name: string, help: string, read: (now: BotState) => number): void => {
    const metric: Gauge = new Gauge({
      name: `postern_signal_${name}`,
      help,
      registers: [registry],
      collect: () => metric.set(read(state())),
    });
  };
  const counter = (name: string, help: string, read: (now: BotState) => number): void => {
    const metric: Counter = new Counter({
      name: `postern_signal_${name}_total`,
      help,
      registers: [registry],
      collect: () => {
        metric.reset();
        metric.inc(read(state()));
      },
    });
  };
  gauge("mail_waiting", "Messages that wait for an answer", ({ mailbox }) => mailbox.waiting);
  gauge("mail_in_hand", "Messages that are worked on", ({ inHand }) => inHand);
  gauge("replies_waiting", "Replies that wait to be sent", ({ mailbox }) => mailbox.replies);
  gauge("undecidable", "Replies of which nobody knows whether they went out", ({ mailbox }) => mailbox.undecidable);
  gauge("dead_letters", "Messages and replies that were given up", ({ mailbox }) => mailbox.dead);
  gauge("paused", "1 while nothing is sent", ({ sending }) => Number(sending.pause !== undefined));
  gauge("store_away", "1 while the store of conversations cannot be reached", ({ isStoreAway }) => Number(isStoreAway));
  counter("mail_answered", "Messages that were answered", ({ answered }) => answered);
  const sending: Counter = new Counter({
    name: "postern_signal_sending_total",
    help: "What became of replies and of smaller calls of the Signal REST server",
    labelNames: ["what"],
    registers: [registry],
    collect: () => {
      sending.reset();
      for (const [what, times] of Object.entries(state().sending.counts)) sending.inc({ what }, times);
    },
  });
}
