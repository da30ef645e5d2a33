/** How a watcher raises its voice: a line for who reads its output, and the webhook. */
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { alertFields, createAlert, type Alert, type AlertType } from "./alert.ts";
import type { Outbox } from "./outbox.ts";

/** The caller saves the memory afterwards: a crash in between tells twice rather than never. */
export type Raise = (type: AlertType, data: Alert["data"]) => void;

export interface VoiceOptions {
  readonly outbox: Outbox;
  /** Where alerts are written, one a line. */
  readonly alerts: Log;
  readonly clock: Clock;
}

export function createVoice({ outbox, alerts, clock }: VoiceOptions): Raise {
  return (type, data) => {
    const alert = createAlert(type, data, clock.now());
    if (type === "certificate.explained" || type === "caa.changed") alerts.warn(type, alertFields(alert));
    else alerts.error(type, alertFields(alert));
    outbox.add(alert);
  };
}
