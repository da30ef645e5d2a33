import { z } from "zod";
import { samplingFields } from "./sampling.ts";

/** As in OpenAI's API. */
export const usualCompletionTokens = 16;

export const completionRequest = z.object({
  ...samplingFields,
  prompt: z.union(
    [z.string(), z.tuple([z.string()]).transform(([prompt]) => prompt)],
    "must be a text: the embedded engine continues one at a time",
  ),
});

export type CompletionRequest = z.infer<typeof completionRequest>;
