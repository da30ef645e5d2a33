import { expect, it } from "vitest";
import { z } from "zod";
import { parseSettings } from "../../shared/settings.ts";

const schema = z.object({ NAME: z.string(), PORT: z.coerce.number().max(65_535).default(443) });

it("settings take an empty variable for one that is absent, and pass over those of others", () => {
  expect(parseSettings(schema, { NAME: "a", PORT: "", HOME: "/" })).toEqual({
    ok: true,
    settings: { NAME: "a", PORT: 443 },
  });
});

it("settings tell every mistake together, by the variable's name", () => {
  const read = parseSettings(schema, { PORT: "70000" });
  expect(read.ok ? [] : read.mistakes).toEqual([
    expect.stringMatching(/^NAME: ./) as string,
    expect.stringMatching(/^PORT: ./) as string,
  ]);
});
