/** In which colours a photo was stored, for the note to its owner. Decoding itself goes by the profile. */

/** The text of a profile's description tag. Versions 2 (ASCII) and 4 (UTF-16 in several languages). */
function tagText(tag: Buffer): string | undefined {
  const type = tag.toString("latin1", 0, 4);
  if (type === "desc" && tag.length > 12) {
    return tag.toString("latin1", 12, 12 + Math.max(0, tag.readUInt32BE(8) - 1));
  }
  if (type !== "mluc" || tag.length < 28) return undefined;
  const bytes = tag.readUInt32BE(20);
  const from = tag.readUInt32BE(24);
  const text = Buffer.from(tag.subarray(from, from + (bytes & ~1)));
  return text.swap16().toString("utf16le");
}

const TABLE_AT = 128;
const TAG_ENTRY_BYTES = 12;
const MAX_TAGS = 100;

/** What an ICC profile calls itself; undefined when it is damaged or has no name. */
export function profileName(profile: Buffer): string | undefined {
  if (profile.length < TABLE_AT + 4) return undefined;
  const count = Math.min(MAX_TAGS, profile.readUInt32BE(TABLE_AT));
  for (let i = 0; i < count; i++) {
    const entry = TABLE_AT + 4 + i * TAG_ENTRY_BYTES;
    if (entry + TAG_ENTRY_BYTES > profile.length) return undefined;
    if (profile.toString("latin1", entry, entry + 4) !== "desc") continue;
    const from = profile.readUInt32BE(entry + 4);
    const text = tagText(profile.subarray(from, from + profile.readUInt32BE(entry + 8)));
    return (
      text
        ?.replace(/\p{Cc}/gu, "")
        .trim()
        .slice(0, 80) || undefined
    );
  }
  return undefined;
}

/** A sentence where the stored colours were others than sRGB. */
export function colourNote({ space, icc }: { space: string; icc?: Buffer | undefined }): string | undefined {
  const isPrint = space === "cmyk";
  if (!icc) {
    return isPrint ? "the file is CMYK without a profile: it was read as common offset print" : undefined;
  }
  const name = profileName(icc) ?? "an unnamed profile";
  // "s" profiles of cameras and scanners have many spellings: sRGB IEC61966-2.1, sRGB built-in, c2, sP3C.
  if (/srgb|^c2$|^c2ci$/i.test(name)) return undefined;
  if (space === "b-w" || space === "grey16") return undefined;
  return `the colours were converted from ${name}${isPrint ? " (CMYK)" : ""} to sRGB`;
}
