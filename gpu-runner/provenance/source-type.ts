/** How a picture came to be, in IPTC's words (cv.iptc.org/newscodes/digitalsourcetype, read in 2026). */

const SCHEME = "http://cv.iptc.org/newscodes/digitalsourcetype/";

/**
 * - `compositeCapture`: a photo set before something else; no pixel is a trained model's invention.
 * - `compositeWithTrainedAlgorithmicMedia`: parts were generated. EU AI Act Article 50 and Google's Merchant
 *   Center ask for the mark; a picture without generated pixels must not carry it.
 */
export type DigitalSourceType = "compositeCapture" | "compositeWithTrainedAlgorithmicMedia";

export function sourceTypeOf({ hasGeneratedPixels }: { hasGeneratedPixels: boolean }): DigitalSourceType {
  return hasGeneratedPixels ? "compositeWithTrainedAlgorithmicMedia" : "compositeCapture";
}

export function sourceTypeUri(type: DigitalSourceType): string {
  return `${SCHEME}${type}`;
}
