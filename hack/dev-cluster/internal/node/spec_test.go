package node

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestNodeOfASpec(t *testing.T) {
	var spec Spec
	text := `{"name":"mig-0","gpus":7,"gpuResource":"nvidia.com/mig-1g.10gb","gpuClass":"a100-mig","memory":"32Gi",
		"labels":{"zone":"1"},"taints":[{"key":"sku","value":"gpu","effect":"NoSchedule"}]}`
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	node := spec.object(1234)
	for name, want := range map[string]string{"zone": "1", gpuClassLabel: "a100-mig", corev1.LabelHostname: "mig-0"} {
		if node.Labels[name] != want {
			t.Errorf("label %s is %q", name, node.Labels[name])
		}
	}
	for name, want := range map[corev1.ResourceName]string{
		"nvidia.com/mig-1g.10gb": "7", corev1.ResourceMemory: "32Gi", corev1.ResourceCPU: "64", corev1.ResourcePods: "500",
	} {
		if got := node.Status.Allocatable[name]; got.String() != want {
			t.Errorf("it offers %s of %s", got.String(), name)
		}
	}
	if len(node.Spec.Taints) != 1 || node.Spec.Taints[0].Effect != corev1.TaintEffectNoSchedule {
		t.Errorf("taints %v", node.Spec.Taints)
	}
}

func TestSpotNodesHaveTheLabelAndTheTaintOfAKS(t *testing.T) {
	const key = "kubernetes.azure.com/scalesetpriority"
	own := []corev1.Taint{{Key: "sku", Value: "gpu", Effect: corev1.TaintEffectNoSchedule}}
	node := Spec{Name: "s", Spot: true, Taints: own}.object(1)
	if node.Labels[key] != "spot" {
		t.Errorf("labels %v", node.Labels)
	}
	if taints := node.Spec.Taints; len(taints) != 2 || taints[1].ToString() != key+"=spot:NoSchedule" {
		t.Errorf("taints %v", taints)
	}
}
