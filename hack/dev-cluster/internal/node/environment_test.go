package node

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// someObjects holds one ConfigMap and one Secret, both named "there".
type someObjects struct{}

func (someObjects) ConfigMap(_ context.Context, _, name string) (*corev1.ConfigMap, error) {
	if name != "there" {
		return nil, apierrors.NewNotFound(corev1.Resource("configmaps"), name)
	}
	return &corev1.ConfigMap{Data: map[string]string{"key": "from the map"}}, nil
}

func (someObjects) Secret(_ context.Context, _, name string) (*corev1.Secret, error) {
	if name != "there" {
		return nil, apierrors.NewNotFound(corev1.Resource("secrets"), name)
	}
	return &corev1.Secret{Data: map[string][]byte{"key": []byte("from the secret")}}, nil
}

func (someObjects) Token(context.Context, *corev1.Pod, string, int64) (string, time.Time, error) {
	return "", time.Time{}, errors.New("no tokens here")
}

func resolved(container corev1.Container) (map[string]string, error) {
	container.Name = "c"
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns", UID: "u1", Labels: map[string]string{"a/b": "c"}},
		Spec:       corev1.PodSpec{NodeName: "gpu-0", Containers: []corev1.Container{container}},
	}
	e := environment{pod: pod, container: &container, objects: someObjects{}, allocatable: corev1.ResourceList{"cpu": resource.MustParse("8")}}
	return e.resolve(context.Background())
}

func field(path string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
}

func TestEnvironment(t *testing.T) {
	named, optional := corev1.LocalObjectReference{Name: "there"}, true
	got, err := resolved(corev1.Container{
		EnvFrom: []corev1.EnvFromSource{
			{Prefix: "MAP_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: named}},
			{Prefix: "SECRET_", SecretRef: &corev1.SecretEnvSource{LocalObjectReference: named}},
		},
		Env: []corev1.EnvVar{
			{Name: "PLAIN", Value: "x"},
			{Name: "BUILT", Value: "$(PLAIN)-$(MAP_key)-$$(PLAIN)-$(MISSING)"},
			{Name: "MAP_key", Value: "overruled"},
			{Name: "NAME", ValueFrom: field("metadata.name")},
			{Name: "UID", ValueFrom: field("metadata.uid")},
			{Name: "LABEL", ValueFrom: field("metadata.labels['a/b']")},
			{Name: "NODE", ValueFrom: field("spec.nodeName")},
			{Name: "IP", ValueFrom: field("status.podIP")},
			{Name: "CPU", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}},
			{Name: "KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: named, Key: "key"}}},
			{Name: "LEFT_OUT", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: named, Key: "none", Optional: &optional}}},
		},
	})
	want := map[string]string{
		"MAP_key": "overruled", "SECRET_key": "from the secret", "PLAIN": "x", "BUILT": "x-from the map-$(PLAIN)-$(MISSING)",
		"NAME": "p", "UID": "u1", "LABEL": "c", "NODE": "gpu-0", "IP": "127.0.0.1", "CPU": "8", "KEY": "from the secret",
	}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
}

func TestEnvironmentFailsWhileAnObjectIsMissing(t *testing.T) {
	missing := corev1.LocalObjectReference{Name: "missing"}
	for name, container := range map[string]corev1.Container{
		"a ConfigMap": {EnvFrom: []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: missing}}}},
		"a key": {Env: []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "there"}, Key: "none"}}}}},
	} {
		if _, err := resolved(container); err == nil {
			t.Errorf("%s is missing, and nobody says so", name)
		}
	}
}
