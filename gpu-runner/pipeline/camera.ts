/**
 * The one camera of all sets and shadows. It stands a little above the product and keeps verticals vertical (a
 * shift lens), so the floor's perspective, the wall's foot and the length of shadows agree in every picture of a
 * job. Lengths are in units of the product's measure; depths count from the camera.
 */

/** Height above the ground on which the product stands. */
export const CAMERA_HEIGHT = 0.95;
/** Distance to the product's foot. */
export const CAMERA_DISTANCE = 4.6;
/** How far a unit of depth reaches on the picture at the product's foot: floors are seen at a low angle. */
export const FLOOR_SQUASH = CAMERA_HEIGHT / CAMERA_DISTANCE;

/** The length that stands for a product: its height, or most of its width where it is wide. */
export function measureOf({ width, height }: { readonly width: number; readonly height: number }): number {
  return Math.max(height, 0.75 * width);
}
