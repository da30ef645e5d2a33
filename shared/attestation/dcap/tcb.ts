/** TCB levels: which state Intel gives to which security versions (PCS API v4, "Get TDX TCB Info"). */
import { z } from "zod";
import { tcbStatuses, type TcbStatus } from "../policy.ts";

export interface Tcb {
  readonly status: TcbStatus;
  readonly advisories: readonly string[];
}

const maxLevels = 256;
export const svnSchema = z.int().min(0).max(0xffff);
export const isoTimeSchema = z.iso.datetime().transform((text) => Date.parse(text) / 1000);

/** A list of levels, newest first, each with security versions of the form `tcb`. */
export const levelsSchema = <T extends z.ZodType>(tcb: T) =>
  z
    .array(
      z.object({
        tcb,
        tcbStatus: z.enum(tcbStatuses),
        advisoryIDs: z.array(z.string().max(64)).max(256).default([]),
      }),
    )
    .max(maxLevels);

export interface Level<T> {
  readonly tcb: T;
  readonly tcbStatus: TcbStatus;
  readonly advisoryIDs: readonly string[];
}

/** The first level whose versions are all reached; undefined: lower than all there are. */
export function findLevel<T>(levels: readonly Level<T>[], reaches: (tcb: T) => boolean): Tcb | undefined {
  const level = levels.find(({ tcb }) => reaches(tcb));
  return level && { status: level.tcbStatus, advisories: level.advisoryIDs };
}

/** Of several parts of a platform: the worst state, and every advisory. */
export function worstTcb(parts: readonly Tcb[]): Tcb {
  const worst = Math.max(...parts.map(({ status }) => tcbStatuses.indexOf(status)));
  const status = tcbStatuses[worst] ?? "Revoked";
  const misconfigured = parts.some((part) => part.status.includes("Configuration"));
  return {
    status: status === "OutOfDate" && misconfigured ? "OutOfDateConfigurationNeeded" : status,
    advisories: [...new Set(parts.flatMap(({ advisories }) => advisories))].toSorted(),
  };
}
