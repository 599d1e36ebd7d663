package node

import (
	"errors"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestCommandLine(t *testing.T) {
	images := Images{"opal/runner": {"node", "main.ts"}, "host:5000/x": {"x"}}
	for _, c := range []struct {
		name      string
		container corev1.Container
		want      []string
	}{
		{"the image's entry point", corev1.Container{Image: "opal/runner"}, []string{"node", "main.ts"}},
		{"without its tag", corev1.Container{Image: "opal/runner:1.2"}, []string{"node", "main.ts"}},
		{"without its digest", corev1.Container{Image: "opal/runner:1@sha256:ab"}, []string{"node", "main.ts"}},
		{"a port is no tag", corev1.Container{Image: "host:5000/x"}, []string{"x"}},
		{"arguments are added", corev1.Container{Image: "opal/runner", Args: []string{"-v"}}, []string{"node", "main.ts", "-v"}},
		{"a command replaces it", corev1.Container{Image: "opal/runner", Command: []string{"sh"}, Args: []string{"-c"}}, []string{"sh", "-c"}},
		{"a command needs no image", corev1.Container{Image: "unknown", Command: []string{"true"}}, []string{"true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := images.commandLine(&c.container)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
	var unknown *UnknownImageError
	if _, err := images.commandLine(&corev1.Container{Image: "busybox:1"}); !errors.As(err, &unknown) {
		t.Errorf("an unknown image gives %v", err)
	}
}
