import { describe, test } from "vitest";
import { whyNoNetwork } from "./namespaces.ts";

/** Tests that need a network of their own; where none can be made they are skipped, and say why. */
export function describeNetwork(what: string, tests: () => void): void {
  const why = whyNoNetwork();
  if (why === undefined) describe(what, tests);
  else describe(what, () => test.skip(`not here: ${why}`, () => {}));
}
