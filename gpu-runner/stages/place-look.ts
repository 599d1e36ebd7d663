/** What a brand asks of placement, settled for one product: set, pose, shadow and layout. Pure. */
import {
  type Brand,
  isSetName,
  Layout,
  SET_NAMES,
  type SetName,
  Shadow,
  type SHADOW_PARTS,
} from "#crds/brand.ts";
import { RATIO_EXPORTS } from "#crds/stages.ts";
import { type Channel, CHANNELS } from "../channels/profiles.ts";
import { Failure } from "../failure.ts";
import {
  type Edge,
  type FrameRatio,
  type FrameRatios,
  type LayoutRules,
  parseRatio,
} from "../pipeline/layout.ts";
import { baseOf, judgePose, type Pose } from "../pipeline/pose.ts";
import type { Alpha } from "../pipeline/raster.ts";
import { sunShadow, RAISED } from "../pipeline/set-catalogue.ts";
import { type ShadowLook, shadowLook } from "../pipeline/shadow-look.ts";

type Part = (typeof SHADOW_PARTS)[number];

export interface PlaceLook {
  /** For placement `studio`. */
  readonly set: SetName | undefined;
  readonly pose: Pose;
  /** The middle of its base, as shares of the product's width and height from the left and the top. */
  readonly foot: {
    readonly x: number;
    readonly y: number;
    /** How far above it the farthest foot is seen, as a share of the height. */
    readonly rise: number;
  };
  /** Parts of the shadow; none at all for an empty set. */
  readonly parts: ReadonlySet<Part>;
  readonly shadow: ShadowLook;
  /** Strength of the reflection, 0..1. */
  readonly mirror: number;
  readonly layout: LayoutRules;
  readonly ratios: FrameRatios;
}

/** Sets whose floor is polished enough to mirror the product. */
const POLISHED: ReadonlySet<SetName> = new Set(["marble"]);
/** On a plain colour a dark shadow would claim a floor that is not there. */
const FLAT_INTENSITY = 31;

/** @throws {Failure} `config` for a set that does not exist; the message lists those that do. */
function setOf({ placement, style }: Brand): SetName | undefined {
  if (placement !== "studio") return undefined;
  if (style === undefined) return "sweep";
  if (isSetName(style)) return style;
  throw new Failure("config", `there is no set "${style}": brand.style is one of ${SET_NAMES.join(", ")}`);
}

/** The parts that suit a placement, where the brand names none. */
function ownParts({ placement }: Brand, set: SetName | undefined): readonly Part[] {
  switch (placement) {
    case "transparent":
      return [];
    case "color":
    case "gradient":
      return ["contact"];
    case "image":
    case "generated":
      return ["contact", "cast"];
    case "studio":
      return set && POLISHED.has(set) ? ["contact", "cast", "reflection"] : ["contact", "cast"];
    default:
      return placement satisfies never;
  }
}

/** The brand's shadow; without one the placement's own. */
function shadowRules(brand: Brand, set: SetName | undefined): Shadow {
  if (brand.shadow) return brand.shadow;
  const standard = Shadow.parse({});
  const isFlat = brand.placement === "color" || brand.placement === "gradient";
  return {
    ...standard,
    intensity: isFlat ? FLAT_INTENSITY : standard.intensity,
    ...(set && sunShadow(set)),
  };
}

function poseOf(wanted: Shadow["pose"], silhouette: Alpha, cutOff: readonly Edge[]): Pose {
  if (wanted !== "auto") return wanted;
  return cutOff.includes("bottom") ? "standing" : judgePose(silhouette);
}

function footOf(silhouette: Alpha): PlaceLook["foot"] {
  const base = baseOf(silhouette);
  if (!base) return { x: 0.5, y: 1, rise: 0 };
  return {
    x: (base.left + base.right) / 2 / silhouette.width,
    y: (base.ground + 1) / silhouette.height,
    rise: base.feet.reduce((most, { ground }) => Math.max(most, base.ground - ground), 0) / silhouette.height,
  };
}

/** A set with a front to be seen has the product higher up, where the brand leaves the layout open. */
function layoutOf(brand: Brand, set: SetName | undefined, pose: Pose): NonNullable<Brand["layout"]> {
  if (brand.layout) return brand.layout;
  const isRaised = set !== undefined && RAISED.has(set) && pose !== "lying";
  return Layout.parse(isRaised ? { fillPercent: 66, groundLinePercent: 74 } : {});
}

/** A frame for each export that shows the scene; channels that want white, and layers, need none. */
function ratiosOf({ exports }: Brand): FrameRatios {
  const ratios: Record<string, FrameRatio> = {};
  for (const name of exports) {
    if (isRatio(name)) ratios[name] = parseRatio(name);
    else if (isChannel(name) && CHANNELS[name].background === "scene") {
      const { ratio, covered } = CHANNELS[name];
      ratios[name] = { ...ratio, ...(covered && { covered }) };
    }
  }
  return Object.keys(ratios).length > 0 ? ratios : { "1:1": parseRatio("1:1") };
}

const isRatio = (name: string) => (RATIO_EXPORTS as readonly string[]).includes(name);
const isChannel = (name: string): name is Channel => Object.hasOwn(CHANNELS, name);

/** @throws {Failure} `config` for what this runner does not offer. */
export function settleLook(brand: Brand, silhouette: Alpha, cutOff: readonly Edge[]): PlaceLook {
  const set = setOf(brand);
  const own = ownParts(brand, set);
  const rules = shadowRules(brand, set);
  const pose = poseOf(rules.pose, silhouette, cutOff);
  const layout = layoutOf(brand, set, pose);
  const snap = layout.snapToEdges ? cutOff : [];
  // What the frame cuts off below stands outside the picture, and so does its shadow.
  const parts = new Set<Part>(cutOff.includes("bottom") ? [] : (rules.parts ?? own));
  const mirrors = parts.has("reflection") && pose === "standing";
  return {
    set,
    pose,
    foot: footOf(silhouette),
    parts,
    shadow: shadowLook(rules, parts, pose),
    mirror: mirrors ? (rules.parts ? 0.56 : 0.3) * (rules.intensity / 100) : 0,
    layout: { ...layout, snap },
    ratios: ratiosOf(brand),
  };
}
