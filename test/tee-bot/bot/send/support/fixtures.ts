import { existsSync } from "node:fs";
import { join } from "node:path";

/** Published data of Signal's tools, which is not part of this repository: beside it, or beside the folder of its worktrees. */
const places = ["../shared/fixtures/signal", "../../shared/fixtures/signal"];
const root = join(import.meta.dirname, "../../../../..");

/** Where it is; undefined where it is not, and tests over it are skipped. */
export const signalFixtures = places.map((place) => join(root, place)).find((path) => existsSync(path));
