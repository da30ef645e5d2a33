/**
 * zod as the edge's bundle has it: the kinds of schema and functions that the edge names, and nothing that only could
 * be named. The package's own namespace `z` holds every locale, JSON Schema reader and compiler, 350 KB when minified,
 * which no bundler can leave out, since @hono/zod-openapi re-exports it. A new kind is added to the list in
 * zod-names.ts; a test finds what is used and not listed.
 */
import * as z from "./zod-names.ts";

export * from "./zod-names.ts";
export { z };
