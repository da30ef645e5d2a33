import { join } from "node:path";

/** The toy that ships with Postern: about a million parameters that have learnt some answers by heart. */
export const demoModel = {
  id: "postern-demo",
  path: join(import.meta.dirname, "demo", "postern-demo.gguf"),
} as const;
