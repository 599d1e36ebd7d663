/** The few fields of EXIF that are looked at: artist, copyright, and whether a place is named. */
import type { FoundRights } from "./rights.ts";

const ARTIST = 0x013b;
const COPYRIGHT = 0x8298;
const GPS = 0x8825;
const ASCII = 2;
const ENTRY_BYTES = 12;

type Fields = ReadonlyMap<number, string>;

/** The first directory's text fields; other types as an empty text. Damaged EXIF has no fields. */
function firstDirectory(exif: Buffer | undefined): Fields {
  const fields = new Map<number, string>();
  if (!exif) return fields;
  const tiff = exif.toString("latin1", 0, 4) === "Exif" ? exif.subarray(6) : exif;
  if (tiff.length < 14) return fields;
  const isLittle = tiff.toString("latin1", 0, 2) === "II";
  const short = (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const long = (at: number) => (isLittle ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const directory = long(4);
  if (directory + 2 > tiff.length) return fields;
  const count = short(directory);
  for (let i = 0; i < count; i++) {
    const at = directory + 2 + i * ENTRY_BYTES;
    if (at + ENTRY_BYTES > tiff.length) break;
    const length = long(at + 4);
    const from = length <= 4 ? at + 8 : long(at + 8);
    const text = short(at + 2) === ASCII ? tiff.toString("utf8", from, from + length) : "";
    fields.set(short(at), text.split("\0", 1)[0] ?? "");
  }
  return fields;
}

export function readExifRights(exif: Buffer | undefined): FoundRights {
  const fields = firstDirectory(exif);
  return { creator: fields.get(ARTIST), copyright: fields.get(COPYRIGHT) };
}

/** Whether the EXIF says where the picture was taken. */
export function namesPlace(exif: Buffer | undefined): boolean {
  return firstDirectory(exif).has(GPS);
}
