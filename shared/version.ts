/** The version of this Postern, as in package.json; every process reports it. */
export const version = "0.1.0";
