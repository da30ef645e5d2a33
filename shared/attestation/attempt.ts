import { AppError } from "../errors.ts";

export type Attempt<T> =
  | { readonly value: T; readonly fault?: undefined }
  | { readonly value?: undefined; readonly fault: string };

/** What a reader of evidence gives, or its sentence when it refuses the evidence; anything else that is thrown rises. */
export async function attempt<T>(read: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (error instanceof AppError && error.code === "evidence-rejected") return { fault: error.detail };
    throw error;
  }
}
