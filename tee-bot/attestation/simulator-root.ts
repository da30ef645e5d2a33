import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rejected } from "../../shared/attestation/rejected.ts";
import type { TrustRoot } from "./verify/verification.ts";

/**
 * The root by which a simulated node looks at its own evidence: that of the simulator in its state directory, or of the one
 * whose socket it was given. Throws `evidence-rejected` when there is none.
 */
export function simulatorRoot(state: string, socket: string | undefined): TrustRoot {
  const places = [join(state, "simulator"), ...(socket === undefined ? [] : [dirname(socket)])];
  const paths = places.map((folder) => join(folder, "root.pem"));
  const path = paths.find((one) => existsSync(one));
  if (path === undefined) throw rejected(`There is no root of a simulator at ${paths.join(" or ")}.`);
  try {
    return { root: new X509Certificate(readFileSync(path)).raw, simulated: true };
  } catch {
    throw rejected(`The root of the simulator at ${path} is no certificate.`);
  }
}
