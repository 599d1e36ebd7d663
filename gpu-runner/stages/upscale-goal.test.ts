import { describe, expect, it } from "vitest";
import { planChannel } from "../channels/plan.ts";
import { CHANNELS } from "../channels/profiles.ts";
import { enlarged } from "../pipeline/box.ts";
import { longestSideUsed, type Scene } from "./upscale-goal.ts";
import { wantedSize } from "./upscale-size.ts";

const SCENE: Scene = {
  picture: { width: 1733, height: 1511 },
  product: { x: 403, y: 307, width: 617, height: 901 },
  content: { x: 381, y: 307, width: 701, height: 947 },
  frames: { "1:1": { x: 91, y: 0, width: 1511, height: 1511 } },
  cutOff: [],
};

describe("longestSideUsed", () => {
  it.each(["amazon-main", "google-shopping", "bol", "zalando", "instagram-story", "web-hero"] as const)(
    "leaves %s the size that it would have of the largest picture",
    (channel) => {
      const longestSide = longestSideUsed([channel], SCENE, 4);
      const picture = wantedSize(SCENE.picture, { factor: 4, longestSide: longestSide ?? Infinity });
      expect(picture.width).toBeLessThan(4 * SCENE.picture.width);
      const planned = [picture.width / SCENE.picture.width, 4].map((factor) => {
        const plan = planChannel(CHANNELS[channel], {
          picture: {
            width: Math.round(SCENE.picture.width * factor),
            height: Math.round(SCENE.picture.height * factor),
          },
          product: enlarged(SCENE.product, factor),
          content: enlarged(SCENE.content, factor),
          cutOff: [],
        });
        return "size" in plan ? plan.size : plan.refused;
      });
      expect(planned[0]).toEqual(planned[1]);
    },
  );

  it("is what the greediest of several channels needs", () => {
    const sides = (["bol", "zalando"] as const).map((name) => longestSideUsed([name], SCENE, 4) ?? 0);
    expect(longestSideUsed(["bol", "zalando"], SCENE, 4)).toBe(Math.max(...sides));
  });

  it("sets no limit when an export takes what there is", () => {
    expect(longestSideUsed(["bol", "1:1"], SCENE, 4)).toBeUndefined();
    expect(longestSideUsed(["cutout"], SCENE, 4)).toBeUndefined();
  });
});
