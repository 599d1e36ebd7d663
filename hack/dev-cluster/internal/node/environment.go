package node

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/kubernetes/pkg/api/v1/resource"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// environment resolves one container's variables: envFrom first, then env in
// order, where $(NAME) refers to a variable set before it.
type environment struct {
	pod         *corev1.Pod
	container   *corev1.Container
	objects     objects
	allocatable corev1.ResourceList
	values      map[string]string
}

// resolve returns the variables that the pod asks for, and fails while an object that one needs is missing.
func (e *environment) resolve(ctx context.Context) (map[string]string, error) {
	e.values = map[string]string{}
	for i := range e.container.EnvFrom {
		if err := e.addFrom(ctx, &e.container.EnvFrom[i]); err != nil {
			return nil, err
		}
	}
	for i := range e.container.Env {
		variable := &e.container.Env[i]
		value, set, err := e.value(ctx, variable)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", variable.Name, err)
		}
		if set {
			e.values[variable.Name] = value
		}
	}
	return e.values, nil
}

func (e *environment) addFrom(ctx context.Context, from *corev1.EnvFromSource) error {
	var content map[string]string
	var err error
	switch {
	case from.ConfigMapRef != nil:
		content, err = e.configMap(ctx, from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
	case from.SecretRef != nil:
		content, err = e.secret(ctx, from.SecretRef.Name, from.SecretRef.Optional)
	}
	for key, value := range content {
		e.values[from.Prefix+key] = value
	}
	return err
}

// value reports set = false for an optional reference that leads nowhere.
func (e *environment) value(ctx context.Context, variable *corev1.EnvVar) (value string, set bool, err error) {
	from := variable.ValueFrom
	switch {
	case from == nil:
		return expansion.Expand(variable.Value, expansion.MappingFuncFor(e.values)), true, nil
	case from.FieldRef != nil:
		value, err = e.field(from.FieldRef.FieldPath)
		return value, true, err
	case from.ResourceFieldRef != nil:
		value, err = e.resourceField(from.ResourceFieldRef)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		content, err := e.configMap(ctx, ref.Name, ref.Optional)
		return keyOf(content, ref.Key, ref.Optional, err)
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		content, err := e.secret(ctx, ref.Name, ref.Optional)
		return keyOf(content, ref.Key, ref.Optional, err)
	default:
		return "", false, &UnsupportedError{Feature: "this kind of valueFrom"}
	}
}

func (e *environment) field(fieldPath string) (string, error) {
	switch fieldPath {
	case "spec.nodeName":
		return e.pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return e.pod.Spec.ServiceAccountName, nil
	case "status.podIP", "status.podIPs", "status.hostIP", "status.hostIPs":
		return loopback, nil
	default:
		return fieldpath.ExtractFieldPathAsString(e.pod, fieldPath)
	}
}

func (e *environment) resourceField(ref *corev1.ResourceFieldSelector) (string, error) {
	name := ref.ContainerName
	if name == "" {
		name = e.container.Name
	}
	return resource.ExtractResourceValueByContainerNameAndNodeAllocatable(ref, e.pod, name, e.allocatable)
}

func (e *environment) configMap(ctx context.Context, name string, optional *bool) (map[string]string, error) {
	found, err := e.objects.ConfigMap(ctx, e.pod.Namespace, name)
	if err != nil {
		return nil, unlessOptional(err, optional)
	}
	return found.Data, nil
}

func (e *environment) secret(ctx context.Context, name string, optional *bool) (map[string]string, error) {
	found, err := e.objects.Secret(ctx, e.pod.Namespace, name)
	if err != nil {
		return nil, unlessOptional(err, optional)
	}
	content := map[string]string{}
	for key, value := range found.Data {
		content[key] = string(value)
	}
	return content, nil
}

func keyOf(content map[string]string, key string, optional *bool, err error) (string, bool, error) {
	if err != nil {
		return "", false, err
	}
	value, found := content[key]
	if !found && !isTrue(optional) {
		return "", false, fmt.Errorf("there is no key %q", key)
	}
	return value, found, nil
}

func unlessOptional(err error, optional *bool) error {
	if isTrue(optional) && apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func isTrue(flag *bool) bool { return flag != nil && *flag }

// entries lists NAME=value in the order of the names, later maps winning over earlier ones.
func entries(layers ...map[string]string) []string {
	merged := map[string]string{}
	for _, layer := range layers {
		maps.Copy(merged, layer)
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		list = append(list, name+"="+merged[name])
	}
	return list
}
