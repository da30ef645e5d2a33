/** The calls that an agent takes from outside the machine (service Worker, port 8090 of a VM): nothing secret is among them. */
import { z } from "zod";
import { AgentError } from "./agent-error.ts";
import { call, hex, text, type Calls } from "./call.ts";
import { traits } from "./generation.ts";
import type { Guest } from "./guest.ts";
import { publicInfoOf } from "./info.ts";
import { keyKindOf, signingPath, signingPurpose } from "./signing.ts";

/** What stands before the key in the quote's data. */
const keyTags = { ed25519: "dip1::ed25519-pk:", secp256k1: "dip1::secp256k1c-pk:" } as const;

export function workerCalls(guest: Guest): Calls {
  const { machine, keys } = guest;
  return new Map([
    ["Info", call(z.unknown(), () => publicInfoOf(machine))],
    ["Version", call(z.unknown(), () => ({ version: traits[machine.generation].version, rev: "simulator" }))],
    [
      "GetAttestationForAppKey",
      call(z.object({ algorithm: text }), async ({ algorithm }) => {
        if (algorithm === "") throw new AgentError("Unsupported algorithm");
        const kind = keyKindOf(algorithm === "secp256k1_prehashed" ? "secp256k1" : algorithm);
        const { publicKey } = keys.derive(signingPath, signingPurpose, kind);
        const data = Buffer.from(keyTags[kind] + Buffer.from(publicKey).toString("base64url"));
        const { quote, reportData, eventLog } = await guest.quote(data);
        const vm_config = machine.vmConfig;
        return { quote: hex(quote), event_log: eventLog, report_data: hex(reportData), vm_config };
      }),
    ],
  ]);
}
