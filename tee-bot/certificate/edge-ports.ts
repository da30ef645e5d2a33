/** What the edge does for a node that drives its own orders: it writes the TXT records, and shares the CA's limits out. */
import { z } from "zod";
import type {
  Admission,
  AdmissionRequest,
  Admissions,
  ChallengeRecord,
  ChallengeRecords,
  Presented,
} from "../../shared/acme/ports.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { admissionSchema, presentedSchema } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import { isUnreachable, troubleOf } from "./trouble.ts";

export interface EdgePortsOptions {
  node: NodeId;
  edge: EdgeClient;
}

const retryAfterMs = 10_000;

/** TXT records over the edge. A failure is told as such and never thrown: another way may be open to the order. */
export class EdgeRecords implements ChallengeRecords {
  readonly #options: EdgePortsOptions;

  constructor(options: EdgePortsOptions) {
    this.#options = options;
  }

  async present(order: string, records: readonly ChallengeRecord[]): Promise<Presented> {
    try {
      const { state, ...rest } = await this.#options.edge.request("PUT", this.#path(order), presentedSchema, {
        body: { records },
      });
      if (state === "written") return { state };
      const pending = rest as Omit<z.infer<typeof presentedSchema> & { state: "pending" }, "state">;
      return { state, retryAfterMs: pending.retryAfterMs, ...(pending.trouble && { trouble: pending.trouble }) };
    } catch (error) {
      return { state: "pending", retryAfterMs, trouble: troubleOf(error) };
    }
  }

  async withdraw(order: string): Promise<void> {
    await this.#options.edge.request("DELETE", this.#path(order), z.unknown());
  }

  #path(order: string): string {
    return `/v1/nodes/${this.#options.node}/challenges/${encodeURIComponent(order)}`;
  }
}

/** The budget of one CA, which all nodes of the zone share. */
export class EdgeAdmissions implements Admissions {
  readonly #options: EdgePortsOptions & { directory: string };

  constructor(options: EdgePortsOptions & { directory: string }) {
    this.#options = options;
  }

  /** With the edge away a renewal that the CA exempts from its limits goes on all the same; others throw. */
  async admit({ order, hostnames, exempt }: AdmissionRequest, { queue }: { queue: boolean }): Promise<Admission> {
    const { edge, directory } = this.#options;
    try {
      const body = { directory, hostnames, exempt, queue };
      return await edge.request("PUT", this.#path(order), admissionSchema, { body });
    } catch (error) {
      if (exempt && isUnreachable(error)) return { admitted: true };
      throw error;
    }
  }

  async settle(order: string, outcome: "issued" | "failed"): Promise<void> {
    const { edge, directory } = this.#options;
    const query = new URLSearchParams({ directory, outcome });
    await edge.request("DELETE", `${this.#path(order)}?${query.toString()}`, z.unknown());
  }

  #path(order: string): string {
    return `/v1/nodes/${this.#options.node}/admissions/${encodeURIComponent(order)}`;
  }
}
