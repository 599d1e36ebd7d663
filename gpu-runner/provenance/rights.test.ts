import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { namesPlace } from "./exif.ts";
import { readRights, type Rights } from "./rights.ts";
import { buildXmp } from "./xmp.ts";
import { SOURCE_TYPE } from "./xmp-namespaces.ts";
import { readProperty } from "./xmp-read.ts";

const picture = () => sharp({ create: { width: 8, height: 8, channels: 3, background: "#336699" } });

/** One record of an IPTC block. */
function dataset(number: number, text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x1c, 2, number, bytes.length >> 8, bytes.length & 255]), bytes]);
}

describe("a photo's rights", () => {
  const RIGHTS: Rights = {
    creator: 'Ann "A" Example',
    copyright: "© 2026 Ann & Co. <all>",
    credit: "Studio Ann",
    usageTerms: "Editorial only",
    licenceUrl: "https://example.com/licence?a=1&b=2",
  };

  it.each(["jpeg", "png", "webp", "avif"] as const)("survive a round trip through %s", async (format) => {
    const xmp = buildXmp({ rights: RIGHTS, sourceType: "compositeCapture" });
    const file = await picture().withXmp(xmp).toFormat(format).toBuffer();
    const header = await sharp(file).metadata();
    expect(readRights(header)).toEqual(RIGHTS);
    expect(readProperty(header.xmp?.toString() ?? "", SOURCE_TYPE)).toBe(
      "http://cv.iptc.org/newscodes/digitalsourcetype/compositeCapture",
    );
  });

  const packets = [
    { name: "attributes", xmp: '<rdf:Description photoshop:Credit="Ann &amp; Co."/>', credit: "Ann & Co." },
    { name: "elements", xmp: "<photoshop:Credit>Ann &#169;</photoshop:Credit>", credit: "Ann ©" },
    { name: "an unended element", xmp: "<photoshop:Credit>Ann", credit: undefined },
    {
      name: "other prefixes, declared round them",
      xmp: '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ps="http://ns.adobe.com/photoshop/1.0/"><r:Description ps:Credit="Ann > Co."/></r:RDF>',
      credit: "Ann > Co.",
    },
    {
      name: "a namespace that is the default one",
      xmp: '<Credit xmlns="http://ns.adobe.com/photoshop/1.0/"><![CDATA[Ann & Co.]]></Credit>',
      credit: "Ann & Co.",
    },
    {
      name: "the first item of a list",
      xmp: "<photoshop:Credit><rdf:Bag><rdf:li>Ann</rdf:li><rdf:li>Bob</rdf:li></rdf:Bag></photoshop:Credit>",
      credit: "Ann",
    },
    {
      name: "a usual prefix that stands for something else",
      xmp: '<photoshop:Credit xmlns:photoshop="urn:game">40</photoshop:Credit>',
      credit: undefined,
    },
    {
      name: "a comment",
      xmp: "<!-- <photoshop:Credit>Ann</photoshop:Credit> -->",
      credit: undefined,
    },
    {
      name: "markup where text is wanted",
      xmp: "<photoshop:Credit><b>x</b></photoshop:Credit>",
      credit: undefined,
    },
  ];
  it.each(packets)("are read from $name", ({ xmp, credit }) => {
    expect(readRights({ xmp: Buffer.from(xmp) })?.credit).toBe(credit);
  });

  it("are read from an IPTC block, in UTF-8 or Latin-1, inside Photoshop's resource", () => {
    const iptc = Buffer.concat([
      Buffer.from("Photoshop 3.0\x008BIM"),
      dataset(80, "Zoë"),
      dataset(116, Buffer.from("Zoë", "latin1")),
      dataset(110, "Studio"),
    ]);
    expect(readRights({ iptc })).toEqual({ creator: "Zoë", copyright: "Zoë", credit: "Studio" });
  });

  it("go by XMP before IPTC before EXIF, field by field", async () => {
    const file = await picture()
      .withExif({ IFD0: { Artist: "exif", Copyright: "exif" } })
      .jpeg()
      .toBuffer();
    const { exif } = await sharp(file).metadata();
    const iptc = Buffer.concat([dataset(80, "iptc"), dataset(110, "iptc")]);
    const xmp = Buffer.from("<photoshop:Credit>xmp</photoshop:Credit>");
    expect(readRights({ exif, iptc, xmp })).toEqual({ credit: "xmp", creator: "iptc", copyright: "exif" });
  });

  it.each([
    { name: "nothing", blocks: {} },
    { name: "empty fields", blocks: { iptc: dataset(80, " ") } },
    { name: "a damaged IPTC block", blocks: { iptc: Buffer.from([0x1c, 2, 80, 0xff, 0xff, 1]) } },
    { name: "damaged EXIF", blocks: { exif: Buffer.from("Exif\0\0II*\0\xff\xff\xff\x7f1234", "latin1") } },
    { name: "a block of two megabytes", blocks: { xmp: Buffer.alloc(2e6, "<dc:creator>") } },
  ])("are none in $name", ({ blocks }) => {
    expect(readRights(blocks)).toBeUndefined();
  });

  it.each(["<", "<a", "<a b", "<!--", "<![CDATA[", "<a x='", "&", "<a xmlns:b='c'>", "<photoshop:Credit>"])(
    "are looked for in a megabyte of %j in no time",
    (part) => {
      const xmp = Buffer.from(part.repeat(1e6 / part.length));
      const started = performance.now();
      readRights({ xmp });
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );

  it("lose control characters and what goes on and on", () => {
    const rights = readRights({ iptc: dataset(80, `Ann\r\n\0${"x".repeat(900)}`) });
    expect(rights?.creator).toMatch(/^Ann x+$/);
    expect(rights?.creator?.length).toBe(500);
  });
});

it("tells whether EXIF names a place", async () => {
  const located = await picture()
    .withExif({ IFD3: { GPSLatitudeRef: "N", GPSLatitude: "52/1 22/1 0/1" } })
    .jpeg()
    .toBuffer();
  const plain = await picture()
    .withExif({ IFD0: { Artist: "Ann" } })
    .jpeg()
    .toBuffer();
  expect(namesPlace((await sharp(located).metadata()).exif)).toBe(true);
  expect(namesPlace((await sharp(plain).metadata()).exif)).toBe(false);
});
