/** What a file is, by its first bytes: names and media types lie, and no decoder has to look at what is refused. */

export const PHOTO_FORMATS = ["jpeg", "png", "webp", "avif", "tiff", "gif"] as const;
export type PhotoFormat = (typeof PHOTO_FORMATS)[number];

/** Known, and not taken. SVG and PDF are documents that run: they are never opened. */
const REFUSED_FORMATS = ["heic", "svg", "pdf", "psd", "jxl"] as const;
type RefusedFormat = (typeof REFUSED_FORMATS)[number];

const startsWith = (bytes: Uint8Array, signature: readonly number[]) =>
  signature.every((byte, i) => bytes[i] === byte);

const SIGNATURES: readonly (readonly [format: PhotoFormat | RefusedFormat, signature: readonly number[]])[] =
  [
    ["jpeg", [0xff, 0xd8, 0xff]],
    ["png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
    ["gif", [0x47, 0x49, 0x46, 0x38]],
    ["tiff", [0x49, 0x49, 0x2a, 0x00]],
    ["tiff", [0x4d, 0x4d, 0x00, 0x2a]],
    ["tiff", [0x49, 0x49, 0x2b, 0x00]],
    ["tiff", [0x4d, 0x4d, 0x00, 0x2b]],
    ["pdf", [0x25, 0x50, 0x44, 0x46]],
    ["psd", [0x38, 0x42, 0x50, 0x53]],
    ["jxl", [0xff, 0x0a]],
    ["jxl", [0x00, 0x00, 0x00, 0x0c, 0x4a, 0x58, 0x4c, 0x20]],
  ];

/** How far into a file the brands of an ISO media file may reach. */
const BRANDS_BYTES = 256;
const HEIC_BRANDS = /heic|heix|hevc|hevx|heim|heis|mif1|msf1/;

/** AVIF and HEIC are one container; its brands tell which codec lies inside. */
function isoFormat(head: string): "avif" | "heic" | undefined {
  if (head.slice(4, 8) !== "ftyp") return undefined;
  if (/avif|avis/.test(head)) return "avif";
  return HEIC_BRANDS.test(head) ? "heic" : undefined;
}

/** @returns undefined for what is no picture that is known here. */
export function sniffFormat(bytes: Uint8Array): PhotoFormat | RefusedFormat | undefined {
  const known = SIGNATURES.find(([, signature]) => startsWith(bytes, signature));
  if (known) return known[0];
  const head = Buffer.from(bytes.subarray(0, BRANDS_BYTES)).toString("latin1");
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return "webp";
  return (
    isoFormat(head) ?? (/^(\ufeff|ï»¿)?\s*<(\?xml|svg|!DOCTYPE svg|!--)/i.test(head) ? "svg" : undefined)
  );
}

export function isPhotoFormat(format: string | undefined): format is PhotoFormat {
  return PHOTO_FORMATS.some((one) => one === format);
}

const TAKEN = "upload a JPEG, PNG, WebP, AVIF, TIFF or GIF";

/** The sentence for the owner of a file that is not taken. */
export function refusalOf(format: RefusedFormat | undefined): string {
  if (format === undefined) return `the file is not a picture that can be read: ${TAKEN}`;
  if (format !== "heic") return `${format} files are not taken: ${TAKEN}`;
  return (
    "HEIC photos are not taken: export the photo as JPEG, or set the iPhone's camera to " +
    "Settings > Camera > Formats > Most Compatible, and upload it again"
  );
}
