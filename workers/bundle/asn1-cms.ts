/**
 * Instead of @peculiar/asn1-cms (20 KB when minified), which @peculiar/x509 needs for chains as PKCS #7 only: the edge
 * has chains as PEM. Object identifiers: RFC 5652 §4 and §5.1.
 */
export const id_data = "1.2.840.113549.1.7.1";
export const id_signedData = "1.2.840.113549.1.7.2";

function missing(): never {
  throw new Error("PKCS #7 is not in the edge's bundle");
}

export {
  missing as CertificateChoices,
  missing as CertificateSet,
  missing as CMSVersion,
  missing as ContentInfo,
  missing as EncapsulatedContent,
  missing as SignedData,
};
