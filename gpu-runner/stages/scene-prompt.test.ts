import { describe, expect, it } from "vitest";
import { Brand } from "#crds/brand.ts";
import type { PlaceLook } from "./place-look.ts";
import { settleLook } from "./place-look.ts";
import { composePrompt, refusedWord } from "./scene-prompt.ts";

const block = { width: 60, height: 100, data: new Uint8Array(6000).fill(255) };

function composed(brand: object, refused: readonly string[] = []) {
  const parsed = Brand.parse({ placement: "generated", ...brand });
  const look: PlaceLook = settleLook(parsed, block, []);
  return composePrompt(parsed, look, refused);
}

describe("composePrompt", () => {
  it("passes a prompt without slots on as it is", () => {
    expect(composed({ prompt: "on a marble table", negativePrompt: "people" })).toEqual({
      prompt: "on a marble table",
      negativePrompt: "people",
    });
  });

  it("fills the slots from the brand and the look", () => {
    const brand = { background: "#a8b896", palette: ["#a8b896", "#102040"], style: "scandinavian" };
    const prompt = "{style} scene, {colour} wall, {colours}, {light}, {angle}";
    expect(composed({ ...brand, prompt }).prompt).toBe(
      "scandinavian scene, sage green wall, sage green and navy blue, light from the left, front view",
    );
    const shadow = { directionDegrees: 180, pose: "lying" };
    expect(composed({ prompt: "{light}, {angle}", shadow }).prompt).toBe(
      "light from the right, top down view",
    );
  });

  it("leaves nothing behind of a slot of which the brand knows nothing", () => {
    expect(composed({ prompt: "{style}, oak table, {colours}, window light" }).prompt).toBe(
      "oak table, window light",
    );
  });

  it("names the slots when one is unknown", () => {
    expect(() => composed({ prompt: "{color} wall" })).toThrow(
      /slot \{color\}: known are \{colour\}, \{colours\}/,
    );
  });

  it("refuses what is on the list, and says which word", () => {
    const attempt = () => composed({ prompt: "A NAKED lamp" }, ["naked"]);
    expect(attempt).toThrow('"naked" is not allowed');
    expect(attempt).toThrow(expect.objectContaining({ class: "bad-input" }));
    expect(() => composed({ prompt: "{style} table", style: "gore" }, ["gore"])).toThrow("gore");
  });
});

describe("refusedWord", () => {
  it.each([
    { text: "a nude figure", found: "nude" },
    { text: "denuded trees", found: undefined },
    { text: "ＮＵＤＥ", found: "nude" },
    { text: "blood-and gore.", found: "blood and gore" },
    { text: "", found: undefined },
  ])("finds whole words and rows of words in “$text”", ({ text, found }) => {
    expect(refusedWord(text, ["nude", "blood and gore", ""])).toBe(found);
  });
});
