package node

import corev1 "k8s.io/api/core/v1"

func aContainer(policy corev1.TerminationMessagePolicy) *corev1.Container {
	return &corev1.Container{Name: "c", TerminationMessagePolicy: policy}
}
