package node

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// UnsupportedError says that a pod asks for something that local processes do
// not offer here. Trying again cannot help.
type UnsupportedError struct{ Feature string }

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("the dev cluster's node does not support %s", e.Feature)
}

// refusal returns why the node will not run the pod at all, or nil.
func refusal(pod *corev1.Pod) error {
	for _, container := range pod.Spec.InitContainers {
		if container.RestartPolicy != nil {
			return &UnsupportedError{Feature: "a restartPolicy on init container " + container.Name}
		}
	}
	for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		for _, mount := range container.VolumeMounts {
			if mount.SubPathExpr != "" {
				return &UnsupportedError{Feature: "subPathExpr of mount " + mount.MountPath}
			}
		}
	}
	for _, volume := range pod.Spec.Volumes {
		if !supportedVolume(volume.VolumeSource) {
			return &UnsupportedError{Feature: "the kind of volume " + volume.Name}
		}
	}
	return nil
}

func supportedVolume(source corev1.VolumeSource) bool {
	return source.ConfigMap != nil || source.Secret != nil || source.Projected != nil ||
		source.DownwardAPI != nil || source.EmptyDir != nil || source.HostPath != nil
}

// unenforced names what the pod asks for and the node accepts without acting on
// it, although the pod may come to wait for it. Limits of CPU and memory, security
// contexts and ports have no effect either, but nothing waits for those.
func unenforced(pod *corev1.Pod) []string {
	var names []string
	for _, container := range pod.Spec.Containers {
		for _, field := range []struct {
			name  string
			asked bool
		}{
			{"livenessProbe", container.LivenessProbe != nil},
			{"readinessProbe", container.ReadinessProbe != nil},
			{"startupProbe", container.StartupProbe != nil},
			{"lifecycle", container.Lifecycle != nil},
		} {
			if field.asked {
				names = append(names, container.Name+"."+field.name)
			}
		}
	}
	return names
}
