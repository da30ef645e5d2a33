/** A node's public side beside a simulated TEE, in a process of its own: what it costs is counted apart from who asks. */
import { startProvenName } from "../../tee-bot/attestation/support/proven-name.ts";

/** What the hardware takes for a quote; told by whoever starts this. */
const quoteMs = Number(process.argv[2]);
// Each connection is another client, so that what is measured is not the limit of one.
const name = await startProvenName({
  simulator: { quoteMs },
  addressOf: (connection) => `10.${connection >> 16}.${(connection >> 8) & 255}.${connection & 255}`,
});
process.send?.({ port: name.port, ca: name.ca });
process.once("disconnect", () => void name[Symbol.asyncDispose]());
