package node

import (
	"maps"
	"runtime"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/version"
)

const (
	// gpuClassLabel is the label by which OPAL's pools select nodes.
	gpuClassLabel = "opal.dev/gpu-class"
	// AKS gives spot nodes this label, and a taint of the same name.
	spotLabel, spotValue = "kubernetes.azure.com/scalesetpriority", "spot"
)

// Spec is one node as the cluster's configuration describes it.
type Spec struct {
	Name string `json:"name"`
	GPUs int    `json:"gpus"`
	// GPUResource is the extended resource that the GPUs are counted as; "" means nvidia.com/gpu.
	GPUResource string `json:"gpuResource"`
	GPUClass    string `json:"gpuClass"`
	// Spot nodes have AKS' label and taint, and can be reclaimed.
	Spot   bool              `json:"spot"`
	Labels map[string]string `json:"labels"`
	Taints []corev1.Taint    `json:"taints"`
	// CPU and Memory are quantities such as "8" and "32Gi".
	CPU    resource.Quantity `json:"cpu"`
	Memory resource.Quantity `json:"memory"`
	Pods   int64             `json:"pods"`
}

// Resource is the extended resource that its GPUs are counted as.
func (s Spec) Resource() corev1.ResourceName {
	if s.GPUResource == "" {
		return "nvidia.com/gpu"
	}
	return corev1.ResourceName(s.GPUResource)
}

func (s Spec) capacity() corev1.ResourceList {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              orElse(s.CPU, "64"),
		corev1.ResourceMemory:           orElse(s.Memory, "256Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
		corev1.ResourcePods:             *resource.NewQuantity(s.Pods, resource.DecimalSI),
	}
	if s.Pods == 0 {
		capacity[corev1.ResourcePods] = resource.MustParse("500")
	}
	if s.GPUs > 0 {
		capacity[s.Resource()] = *resource.NewQuantity(int64(s.GPUs), resource.DecimalSI)
	}
	return capacity
}

func orElse(quantity resource.Quantity, standard string) resource.Quantity {
	if quantity.IsZero() {
		return resource.MustParse(standard)
	}
	return quantity
}

// object is the node as it registers itself, ready from the start: there is nothing to boot.
func (s Spec) object(endpointPort int) *corev1.Node {
	labels := map[string]string{
		corev1.LabelHostname:   s.Name,
		corev1.LabelOSStable:   runtime.GOOS,
		corev1.LabelArchStable: runtime.GOARCH,
	}
	if s.GPUClass != "" {
		labels[gpuClassLabel] = s.GPUClass
	}
	taints := slices.Clone(s.Taints)
	if s.Spot {
		labels[spotLabel] = spotValue
		taints = append(taints, corev1.Taint{Key: spotLabel, Value: spotValue, Effect: corev1.TaintEffectNoSchedule})
	}
	maps.Copy(labels, s.Labels)
	now := metav1.Now()
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: s.Name, Labels: labels},
		Spec:       corev1.NodeSpec{Taints: taints},
		Status: corev1.NodeStatus{
			Capacity: s.capacity(), Allocatable: s.capacity(),
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: loopback},
				{Type: corev1.NodeHostName, Address: s.Name},
			},
			DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(endpointPort)}},
			NodeInfo: corev1.NodeSystemInfo{
				KubeletVersion: version.Get().GitVersion, OSImage: "local processes",
				OperatingSystem: runtime.GOOS, Architecture: runtime.GOARCH, ContainerRuntimeVersion: "process://1",
			},
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue,
				LastHeartbeatTime: now, LastTransitionTime: now,
				Reason: "KubeletReady", Message: "local processes can be started",
			}},
		},
	}
}
