/** What is known of the real signal-cli-rest-api, which is no part of this repository: beside it, or beside the folder of its worktrees. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../../../..");
const places = ["../shared/fixtures/signal", "../../shared/fixtures/signal"];

/** Undefined where the file is not there. */
export function signalFixture(name: string): string | undefined {
  return places.map((place) => join(root, place, name)).find((path) => existsSync(path));
}
