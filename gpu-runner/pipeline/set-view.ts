/** Where floor and wall lie in a picture of given size, and which part of them each row of pixels sees. */
import { CAMERA_DISTANCE, CAMERA_HEIGHT } from "./camera.ts";
import type { SurfaceRow } from "./noise-table.ts";

export interface View {
  readonly width: number;
  readonly height: number;
  /** Pixels of the unit at the product's foot. */
  readonly unit: number;
  /** Where the product's foot stands, its middle below: in pixels. */
  readonly footX: number;
  readonly footY: number;
  /** From the front at CAMERA_HEIGHT, or straight down on things that lie. */
  readonly from: "front" | "top";
}

/** Blur of what is far behind, half its width; the lens is stopped down until this depth round the foot is sharp. */
const APERTURE = 0.07;
const SHARP = 0.35;
/** What lies before the foot stays sharper than what lies behind: a blurred foreground shows no material any more. */
const FOREGROUND = 0.35;

const horizonOf = ({ footY, unit }: View) => footY - CAMERA_HEIGHT * unit;

/** Distance from the camera of a floor that lies `drop` below the product's foot, at a row. Infinite above the horizon. */
export function floorDistance(view: View, y: number, drop: number): number {
  const below = (y + 0.5 - horizonOf(view)) / view.unit;
  return below <= 1e-6 ? Infinity : (CAMERA_DISTANCE * (CAMERA_HEIGHT + drop)) / below;
}

/** The row at which that floor is `distance` away. */
export function floorRowAt(view: View, distance: number, drop: number): number {
  return horizonOf(view) + (view.unit * CAMERA_DISTANCE * (CAMERA_HEIGHT + drop)) / distance;
}

/** Height above the product's foot of what stands `distance` away and is seen at a row. */
export function heightAt(view: View, y: number, distance: number): number {
  const below = (y + 0.5 - horizonOf(view)) / view.unit;
  return CAMERA_HEIGHT - (below * distance) / CAMERA_DISTANCE;
}

/** Blur of the defocus at a distance, half its width, in units at the product's foot. */
export function defocus(distance: number): number {
  const behind = distance - CAMERA_DISTANCE;
  const aperture = behind < 0 ? APERTURE * FOREGROUND : APERTURE;
  return (aperture * Math.max(0, Math.abs(behind) - SHARP)) / distance;
}

/** Across the picture at a distance: units a pixel, and the unit coordinate of the first pixel's middle. */
function across(view: View, distance: number) {
  const du = distance / (CAMERA_DISTANCE * view.unit);
  return { count: view.width, u0: (0.5 - view.footX) * du, du };
}

/** A row of floor: u to the right, v away from the camera, 0 at the product's foot. */
export function floorRow(view: View, distance: number, drop: number): SurfaceRow {
  const spread = (defocus(distance) + 0.5 / view.unit) * (distance / CAMERA_DISTANCE);
  return {
    ...across(view, distance),
    v: distance - CAMERA_DISTANCE,
    blurU: spread,
    blurV: (spread * distance) / (CAMERA_HEIGHT + drop),
  };
}

/** A row of a wall that stands across the view: u to the right, v up, 0 at the height of the product's foot. */
export function wallRow(view: View, y: number, distance: number): SurfaceRow {
  const spread = (defocus(distance) + 0.5 / view.unit) * (distance / CAMERA_DISTANCE);
  return {
    ...across(view, distance),
    v: heightAt(view, y, distance),
    blurU: spread,
    blurV: spread,
  };
}

/** A row of a table seen from above: u to the right, v up the picture. */
export function topRow(view: View, y: number): SurfaceRow {
  const du = 1 / view.unit;
  return {
    count: view.width,
    u0: (0.5 - view.footX) * du,
    du,
    v: (view.footY - y - 0.5) * du,
    blurU: du / 2,
    blurV: du / 2,
  };
}
