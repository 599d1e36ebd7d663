/** Validation rules in CEL, as the API server runs them. */
export interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
  optionalOldSelf?: true;
}
/**
 * A rule about what cannot change: it is asked once, when the object is made. Without this every write of the status
 * would ask it again.
 */
export const atCreation = ({ rule, ...rest }: CelRule): CelRule => ({
  rule: `oldSelf.hasValue() || ${rule}`,
  ...rest,
  optionalOldSelf: true,
});

export const cel = (...rules: CelRule[]) => ({ "x-kubernetes-validations": rules });
