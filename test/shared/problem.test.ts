import { describe, expect, it } from "vitest";
import { AppError, errorCodes, errorText, fail, succeed, unwrap, type ErrorCode } from "../../shared/errors.ts";
import { errorOfProblem, problemOf, problemOfError, problemSchema } from "../../shared/problem.ts";

const codes = Object.keys(errorCodes) as ErrorCode[];

describe("the vocabulary of errors", () => {
  it.each(codes)("%s has a status of failure, a title, and survives the trip as a problem", (code) => {
    const problem = problemOf(code, "Because.");
    expect(problem.status).toBeGreaterThanOrEqual(400);
    expect(problem.status).toBeLessThan(600);
    expect(problem.title).toMatch(/^[A-Z].*[a-z]$/);
    expect(problem.type).toBe(`urn:postern:problem:${code}`);
    const answer = errorOfProblem(JSON.parse(JSON.stringify(problem)), problem.status);
    expect([answer.code, answer.detail]).toEqual([code, "Because."]);
  });
});

describe("problemOfError", () => {
  it("shows the code and detail of a foreseen failure, and the request id", () => {
    const problem = problemOfError(new AppError("name-taken", "It is Bob's."), "r-1");
    expect(problem).toMatchObject({ status: 409, code: "name-taken", detail: "It is Bob's.", requestId: "r-1" });
    expect(problemSchema.parse(problem)).toEqual(problem);
  });

  it.each([new Error("password=hunter2"), "hunter2", undefined, { code: "name-taken", detail: "hunter2" }])(
    "shows nothing of an unforeseen one",
    (thrown) => {
      const problem = problemOfError(thrown);
      expect(problem).toMatchObject({ status: 500, code: "internal" });
      expect(JSON.stringify(problem)).not.toContain("hunter2");
    },
  );
});

describe("errorOfProblem", () => {
  it.each([
    undefined,
    null,
    "text",
    {},
    { code: "no-such-word", detail: "" },
    { ...problemOf("forbidden", ""), detail: 7 },
  ])("makes an internal error with the status of %j", (body) => {
    const error = errorOfProblem(body, 502);
    expect(error.code).toBe("internal");
    expect(error.detail).toContain("502");
  });
});

describe("a result", () => {
  it("gives its value, or throws its failure", () => {
    expect(unwrap(succeed(7))).toBe(7);
    expect(() => unwrap(fail("not-found", "No."))).toThrow(new AppError("not-found", "No."));
  });
});

describe("errorText", () => {
  it("tells the message and the cause of anything thrown", () => {
    expect(errorText(new Error("a", { cause: new Error("b") }))).toBe("a: b");
    expect(errorText(new Error("a"))).toBe("a");
    expect(errorText("text")).toBe("text");
    expect(errorText(undefined)).toBe("undefined");
  });
});
