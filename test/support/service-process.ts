/** The service of {@link startService} as a process of its own, for a test that has it elsewhere. */
import { startService } from "./service.ts";

process.once("disconnect", () => process.exit());
process.send?.({ ready: true, url: (await startService()).url });
