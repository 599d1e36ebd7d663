package node

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Images says which local command line stands for an image. The key is the
// image's name without tag and digest; the value is what the image's
// ENTRYPOINT would be.
type Images map[string][]string

// UnknownImageError is what a pull error is on a real node.
type UnknownImageError struct {
	Image string
	Known []string
}

func (e *UnknownImageError) Error() string {
	return fmt.Sprintf("image %q stands for no local command here (known: %s)", e.Image, strings.Join(e.Known, ", "))
}

// commandLine is the container's argv before variables and paths are replaced.
// A container that names its command needs no image at all.
func (images Images) commandLine(container *corev1.Container) ([]string, error) {
	if len(container.Command) > 0 {
		return slices.Concat(container.Command, container.Args), nil
	}
	entryPoint, known := images[imageName(container.Image)]
	if !known {
		return nil, &UnknownImageError{Image: container.Image, Known: slices.Sorted(maps.Keys(images))}
	}
	return slices.Concat(entryPoint, container.Args), nil
}

// imageName cuts the tag and digest off an image reference. A colon before the
// last slash belongs to a registry's port.
func imageName(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name = name[:colon]
	}
	return name
}
