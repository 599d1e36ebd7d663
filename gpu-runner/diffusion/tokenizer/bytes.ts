/** The alphabet of byte-level vocabularies: each of the 256 bytes as one character that can be seen. */

const isSeen = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 255 && byte !== 173);

/** Bytes that cannot be seen as they are (spaces, controls) become the characters from U+0100 on, in order. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isSeen(byte) ? byte : next++));
})();
