/** One picture to look at: a row per photo, a column per step of its way. */
import { fileURLToPath } from "node:url";
import sharp, { type OverlayOptions } from "sharp";

const CELL = 300;
const GAP = 18;
const HEADER = 44;
const LABEL = 30;
const PAPER = "#fafaf8";
const FONT = fileURLToPath(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));

export interface ContactRow {
  readonly title: string;
  /** Encoded pictures, one per column; undefined where there is none (a failed item, say). */
  readonly pictures: readonly (Uint8Array | undefined)[];
  /** Shown instead of missing pictures. */
  readonly note?: string;
}

/** Draws the sheet as PNG. Cells are 300 × 300 px; a picture is shown whole, on a checkerboard where transparent. */
export async function contactSheet(columns: readonly string[], rows: readonly ContactRow[]): Promise<Buffer> {
  const width = GAP + columns.length * (CELL + GAP);
  const height = HEADER + rows.length * (CELL + LABEL + GAP);
  const layers: OverlayOptions[] = [];
  for (const [column, name] of columns.entries()) {
    layers.push({ input: await text(name, "#333333", CELL), left: left(column), top: 14 });
  }
  for (const [index, row] of rows.entries()) {
    const top = HEADER + index * (CELL + LABEL + GAP);
    layers.push({ input: await text(row.title, "#777777", CELL * 2), left: left(0), top: top + CELL + 6 });
    for (const [column, picture] of row.pictures.entries()) {
      if (picture) layers.push({ input: await cell(picture), left: left(column), top });
    }
    const empty = row.pictures.findIndex((picture) => !picture);
    if (row.note && empty >= 0) {
      const input = await text(row.note, "#aa3333", CELL * 2);
      layers.push({ input, left: left(empty), top: top + CELL / 2 });
    }
  }
  return sharp({ create: { width, height, channels: 3, background: PAPER } })
    .composite(layers)
    .png({ compressionLevel: 9, palette: false })
    .toBuffer();
}

const left = (column: number) => GAP + column * (CELL + GAP);

/** A picture inside its square, centred, on grey squares so that transparency shows. */
async function cell(picture: Uint8Array): Promise<Buffer> {
  const inside = await sharp(picture)
    .resize(CELL, CELL, { fit: "inside" })
    .png()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = inside.info;
  const board = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>
    <pattern id="p" width="16" height="16" patternUnits="userSpaceOnUse"><rect width="16" height="16" fill="#ffffff"/>
    <rect width="8" height="8" fill="#e2e2e2"/><rect x="8" y="8" width="8" height="8" fill="#e2e2e2"/></pattern></defs>
    <rect width="100%" height="100%" fill="url(#p)"/></svg>`;
  const framed = await sharp(Buffer.from(board))
    .composite([{ input: inside.data }])
    .png()
    .toBuffer();
  return sharp({ create: { width: CELL, height: CELL, channels: 3, background: "#efefec" } })
    .composite([{ input: framed }])
    .png()
    .toBuffer();
}

async function text(words: string, colour: string, width: number): Promise<Buffer> {
  const escaped = words.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const markup = `<span foreground="${colour}">${escaped}</span>`;
  return sharp({ text: { text: markup, font: "DejaVu Sans 11", fontfile: FONT, rgba: true, dpi: 96, width } })
    .png()
    .toBuffer();
}
