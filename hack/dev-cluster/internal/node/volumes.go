package node

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/kubernetes/pkg/volume"
	"k8s.io/kubernetes/pkg/volume/configmap"
	"k8s.io/kubernetes/pkg/volume/downwardapi"
	"k8s.io/kubernetes/pkg/volume/secret"
	volumeutil "k8s.io/kubernetes/pkg/volume/util"
)

type payload = map[string]volumeutil.FileProjection

// podVolumes makes a pod's volumes as directories of this machine.
type podVolumes struct {
	dir         string
	objects     objects
	allocatable corev1.ResourceList
}

// write makes or refreshes all volumes and returns each one's directory. The
// second result is when to write them again because a token gets old; zero
// means never. It fails while an object that a volume needs is missing.
func (v *podVolumes) write(ctx context.Context, pod *corev1.Pod) (map[string]string, time.Time, error) {
	dirs := map[string]string{}
	var refresh time.Time
	for i := range pod.Spec.Volumes {
		spec := &pod.Spec.Volumes[i]
		dir, renew, err := v.writeOne(ctx, pod, spec)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("volume %s: %w", spec.Name, err)
		}
		dirs[spec.Name] = dir
		refresh = earlier(refresh, renew)
	}
	return dirs, refresh, nil
}

// rewriteLabels writes the volumes that tell labels or annotations again. A
// file whose content is the same is left alone.
func (v *podVolumes) rewriteLabels(ctx context.Context, pod *corev1.Pod) error {
	for i := range pod.Spec.Volumes {
		spec := &pod.Spec.Volumes[i]
		if !tellsLabels(spec) {
			continue
		}
		if _, _, err := v.writeOne(ctx, pod, spec); err != nil {
			return fmt.Errorf("volume %s: %w", spec.Name, err)
		}
	}
	return nil
}

func tellsLabels(spec *corev1.Volume) bool {
	if spec.DownwardAPI != nil {
		return slices.ContainsFunc(spec.DownwardAPI.Items, isLabelOrAnnotation)
	}
	return spec.Projected != nil && slices.ContainsFunc(spec.Projected.Sources, func(source corev1.VolumeProjection) bool {
		return source.DownwardAPI != nil && slices.ContainsFunc(source.DownwardAPI.Items, isLabelOrAnnotation)
	})
}

func isLabelOrAnnotation(file corev1.DownwardAPIVolumeFile) bool {
	return file.FieldRef != nil &&
		(strings.HasPrefix(file.FieldRef.FieldPath, "metadata.labels") || strings.HasPrefix(file.FieldRef.FieldPath, "metadata.annotations"))
}

func (v *podVolumes) writeOne(ctx context.Context, pod *corev1.Pod, spec *corev1.Volume) (string, time.Time, error) {
	if spec.HostPath != nil {
		return spec.HostPath.Path, time.Time{}, prepareHostPath(spec.HostPath)
	}
	dir := filepath.Join(v.dir, spec.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", time.Time{}, err
	}
	if spec.EmptyDir != nil {
		return dir, time.Time{}, nil
	}
	files, refresh, err := v.content(ctx, pod, spec)
	if err != nil {
		return "", time.Time{}, err
	}
	writer, err := volumeutil.NewAtomicWriter(dir, pod.Namespace+"/"+pod.Name)
	if err != nil {
		return "", time.Time{}, err
	}
	return dir, refresh, writer.Write(files, nil)
}

func (v *podVolumes) content(ctx context.Context, pod *corev1.Pod, spec *corev1.Volume) (payload, time.Time, error) {
	switch {
	case spec.ConfigMap != nil:
		files, err := v.fromConfigMap(ctx, pod.Namespace, &corev1.ConfigMapProjection{
			LocalObjectReference: spec.ConfigMap.LocalObjectReference, Items: spec.ConfigMap.Items, Optional: spec.ConfigMap.Optional,
		}, spec.ConfigMap.DefaultMode)
		return files, time.Time{}, err
	case spec.Secret != nil:
		files, err := v.fromSecret(ctx, pod.Namespace, &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: spec.Secret.SecretName}, Items: spec.Secret.Items, Optional: spec.Secret.Optional,
		}, spec.Secret.DefaultMode)
		return files, time.Time{}, err
	case spec.DownwardAPI != nil:
		files, err := v.fromPod(pod, spec.DownwardAPI.Items, spec.DownwardAPI.DefaultMode)
		return files, time.Time{}, err
	default:
		return v.fromSources(ctx, pod, spec.Projected)
	}
}

func (v *podVolumes) fromSources(ctx context.Context, pod *corev1.Pod, spec *corev1.ProjectedVolumeSource) (payload, time.Time, error) {
	all := payload{}
	var refresh time.Time
	for i := range spec.Sources {
		files, renew, err := v.fromSource(ctx, pod, &spec.Sources[i], spec.DefaultMode)
		if err != nil {
			return nil, time.Time{}, err
		}
		maps.Copy(all, files)
		refresh = earlier(refresh, renew)
	}
	return all, refresh, nil
}

func (v *podVolumes) fromSource(ctx context.Context, pod *corev1.Pod, source *corev1.VolumeProjection, mode *int32) (payload, time.Time, error) {
	var files payload
	var err error
	switch {
	case source.ServiceAccountToken != nil:
		return v.fromToken(ctx, pod, source.ServiceAccountToken, mode)
	case source.ConfigMap != nil:
		files, err = v.fromConfigMap(ctx, pod.Namespace, source.ConfigMap, mode)
	case source.Secret != nil:
		files, err = v.fromSecret(ctx, pod.Namespace, source.Secret, mode)
	case source.DownwardAPI != nil:
		files, err = v.fromPod(pod, source.DownwardAPI.Items, mode)
	default:
		err = &UnsupportedError{Feature: "this kind of projected volume source"}
	}
	return files, time.Time{}, err
}

func (v *podVolumes) fromToken(ctx context.Context, pod *corev1.Pod, spec *corev1.ServiceAccountTokenProjection, mode *int32) (payload, time.Time, error) {
	lifetimeSeconds := int64(3600)
	if spec.ExpirationSeconds != nil {
		lifetimeSeconds = *spec.ExpirationSeconds
	}
	asked := time.Now()
	token, expires, err := v.objects.Token(ctx, pod, spec.Audience, lifetimeSeconds)
	if err != nil {
		return nil, time.Time{}, err
	}
	// Renewed after 80 % of its life, as the kubelet does.
	renew := asked.Add(expires.Sub(asked) * 8 / 10)
	return payload{spec.Path: {Data: []byte(token), Mode: *mode}}, renew, nil
}

func (v *podVolumes) fromConfigMap(ctx context.Context, namespace string, spec *corev1.ConfigMapProjection, mode *int32) (payload, error) {
	found, err := v.objects.ConfigMap(ctx, namespace, spec.Name)
	if apierrors.IsNotFound(err) && isTrue(spec.Optional) {
		return payload{}, nil
	}
	if err != nil {
		return nil, err
	}
	return configmap.MakePayload(spec.Items, found, mode, isTrue(spec.Optional))
}

func (v *podVolumes) fromSecret(ctx context.Context, namespace string, spec *corev1.SecretProjection, mode *int32) (payload, error) {
	found, err := v.objects.Secret(ctx, namespace, spec.Name)
	if apierrors.IsNotFound(err) && isTrue(spec.Optional) {
		return payload{}, nil
	}
	if err != nil {
		return nil, err
	}
	return secret.MakePayload(spec.Items, found, mode, isTrue(spec.Optional))
}

func (v *podVolumes) fromPod(pod *corev1.Pod, items []corev1.DownwardAPIVolumeFile, mode *int32) (payload, error) {
	return downwardapi.CollectData(items, pod, allocatableOnly{allocatable: v.allocatable}, mode)
}

// allocatableOnly is the one thing that the downward API asks its volume host for.
type allocatableOnly struct {
	volume.VolumeHost
	allocatable corev1.ResourceList
}

func (a allocatableOnly) GetNodeAllocatable() (corev1.ResourceList, error) { return a.allocatable, nil }

func prepareHostPath(spec *corev1.HostPathVolumeSource) error {
	if spec.Type != nil && *spec.Type == corev1.HostPathDirectoryOrCreate {
		return os.MkdirAll(spec.Path, 0o755)
	}
	_, err := os.Stat(spec.Path)
	return err
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
