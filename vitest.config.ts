import { defineConfig } from "vitest/config";

// Three kinds of tests: plain ones in Node, those that run inside workerd, and those that start every process.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/workers/**", "test/system/**", "test/network/**", "test/acme/**"],
          testTimeout: 20_000,
        },
      },
      "./test/workers/vitest.config.ts",
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts", "test/network/**/*.test.ts", "test/acme/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
