import type { Clock } from "../../shared/clock.ts";
import type { NodeStatus } from "../control/status.ts";
import { formatStatus } from "./status-view.ts";

export interface StatusPrinterOptions {
  write: (text: string) => void;
  /** Whether somebody watches: shows what the first certificate waits for. */
  terminal: boolean;
  color: boolean;
  clock: Clock;
}

/** What `postern start` prints as its status changes: the whole of it once the name answers, and when its health changes. */
export function statusPrinter({ write, terminal, color, clock }: StatusPrinterOptions): (status: NodeStatus) => void {
  let before: NodeStatus | undefined;
  return (status) => {
    const was = before;
    before = status;
    const { health, certificate } = status;
    if (health.status !== "starting") {
      if (health.status !== was?.health.status) write(formatStatus(status, color, clock.now()));
    } else if (terminal && certificate.state === "ordering") {
      if (certificate.words !== was?.certificate.words) write(`  certificate  ${certificate.words}\n`);
      if (certificate.trouble && certificate.trouble.detail !== was?.certificate.trouble?.detail)
        write(`  ! ${certificate.trouble.detail}\n    → ${certificate.trouble.remedy}\n`);
    }
  };
}
