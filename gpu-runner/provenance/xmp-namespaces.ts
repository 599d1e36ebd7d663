/** The namespaces of XMP properties that are read or written, by their usual prefixes. */
export const NAMESPACES = {
  rdf: "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
  dc: "http://purl.org/dc/elements/1.1/",
  photoshop: "http://ns.adobe.com/photoshop/1.0/",
  xmp: "http://ns.adobe.com/xap/1.0/",
  xmpRights: "http://ns.adobe.com/xap/1.0/rights/",
  Iptc4xmpExt: "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
  cc: "http://creativecommons.org/ns#",
  plus: "http://ns.useplus.org/ldf/xmp/1.0/",
} as const;

/** What the IPTC says of how a picture came to be. */
export const SOURCE_TYPE = `${NAMESPACES.Iptc4xmpExt}DigitalSourceType`;
