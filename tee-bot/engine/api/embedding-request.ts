import { z } from "zod";

const maxInputs = 2_048;
const input = z.string().min(1, "must not be empty");

export const embeddingRequest = z.object({
  model: z.string("must be the name of a model"),
  input: z.union(
    [
      input.transform((one) => [one]),
      z.array(input).min(1, "must not be empty").max(maxInputs, `has more than ${maxInputs} texts`),
    ],
    "must be a text or a list of texts",
  ),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().min(1).nullish(),
});

export type EmbeddingRequest = z.infer<typeof embeddingRequest>;
