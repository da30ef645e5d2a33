import { AppError } from "../errors.ts";

/** What readers of evidence throw for evidence that is not as it must be; the sentence is for whoever shows it. */
export const rejected = (detail: string): AppError => new AppError("evidence-rejected", detail);
