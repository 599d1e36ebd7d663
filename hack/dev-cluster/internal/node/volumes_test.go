package node

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// numberedTokens issues "1", "2", ..., each for the lifetime that is asked for.
type numberedTokens struct {
	someObjects
	issued *byte
}

func (n numberedTokens) Token(_ context.Context, _ *corev1.Pod, _ string, lifetimeSeconds int64) (string, time.Time, error) {
	*n.issued++
	return string('0' + *n.issued), time.Now().Add(time.Duration(lifetimeSeconds) * time.Second), nil
}

func TestATokenIsRenewedInItsPlaceWellBeforeItExpires(t *testing.T) {
	mode, lifetime := int32(0o600), int64(1000)
	pod := &corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{DefaultMode: &mode, Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: &lifetime}},
		}},
	}}}}}
	volumes := podVolumes{dir: t.TempDir(), objects: numberedTokens{issued: new(byte)}}
	for _, want := range []string{"1", "2"} {
		dirs, refresh, err := volumes.write(context.Background(), pod)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dirs["v"], "token"))
		if err != nil || string(content) != want {
			t.Errorf("the token is %q, %v; want %q", content, err, want)
		}
		if in := time.Until(refresh); in < 700*time.Second || in > 800*time.Second {
			t.Errorf("it is renewed in %s of 1000 s", in)
		}
	}
}

func TestAVolumeFailsWhileItsObjectIsMissingUnlessItIsOptional(t *testing.T) {
	mode := int32(0o644)
	pod := func(optional bool) *corev1.Pod {
		return &corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "missing"}, DefaultMode: &mode, Optional: &optional,
			},
		}}}}}
	}
	volumes := podVolumes{dir: t.TempDir(), objects: someObjects{}}
	if _, _, err := volumes.write(context.Background(), pod(false)); err == nil {
		t.Error("a missing ConfigMap was taken")
	}
	if _, refresh, err := volumes.write(context.Background(), pod(true)); err != nil || !refresh.IsZero() {
		t.Errorf("an optional one: %v, renewed at %s", err, refresh)
	}
}
