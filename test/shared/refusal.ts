import { AppError, type ErrorCode } from "../../shared/errors.ts";

/** The code with which a call was refused, or undefined when it was not; any other failure is the test's. */
export function refusalOf(call: () => unknown): ErrorCode | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

/** The same for what answers later. */
export async function refusalOfAsync(call: () => Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}
