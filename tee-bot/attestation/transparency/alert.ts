/** What a watcher raises its voice for. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { LogFields } from "../../../shared/log.ts";

export const alertTypes = [
  /** A certificate for a watched name whose key nobody attested. */
  "certificate.foreign",
  /** An entry that mentions a watched name and is no certificate that can be read. */
  "certificate.unreadable",
  /** The key of a certificate that was foreign has been attested since. */
  "certificate.explained",
  /** A log shows what cannot be: another history, entries that are not in its tree, a signature that is not its own. */
  "log.refused",
  /** CAA lets others get a certificate for a watched name than the accounts that the node attested. */
  "caa.open",
  /** The CAA records of a watched name are not those seen last. */
  "caa.changed",
] as const;
export type AlertType = (typeof alertTypes)[number];

export const alertSchema = z.object({
  /** The same over every try to deliver it. */
  id: z.string().max(64),
  type: z.enum(alertTypes),
  /** Milliseconds since the Unix epoch. */
  at: z.int(),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
});
export type Alert = z.infer<typeof alertSchema>;

export function createAlert(type: AlertType, data: Alert["data"], now: number): Alert {
  return { id: `alert_${randomUUID()}`, type, at: now, data };
}

/** As a line of the log. */
export function alertFields({ id, data }: Alert): LogFields {
  return { alert: id, ...data };
}
