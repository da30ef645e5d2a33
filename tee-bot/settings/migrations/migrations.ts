import type { Document } from "yaml";
import { nodeSection } from "./0001-node-section.ts";

/** Each makes a document of the version before one of its own; the place in the list is the version. */
export const migrations: readonly ((document: Document) => void)[] = [nodeSection];
