/** The ES modules of a package whose types stand beside its CommonJS only. */
declare module "*/asn1js/build/index.es.js" {
  export * from "asn1js";
}
