/** Validation rules in CEL, as the API server runs them. */
export interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
}
export const cel = (...rules: CelRule[]) => ({ "x-kubernetes-validations": rules });
