package node

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

func TestLabelsAndAnnotationsAreFilesThatFollowThePod(t *testing.T) {
	mode := int32(0o644)
	file := func(path, fieldPath string) corev1.DownwardAPIVolumeFile {
		return corev1.DownwardAPIVolumeFile{Path: path, FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: fieldPath}}
	}
	work := `{"v":1,"items":[{"id":"é"}]}`
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Labels:      map[string]string{"app": "opal"},
			Annotations: map[string]string{"opal.dev/manifest": work, "b": "2"},
		},
		Spec: corev1.PodSpec{Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
			DownwardAPI: &corev1.DownwardAPIVolumeSource{DefaultMode: &mode, Items: []corev1.DownwardAPIVolumeFile{
				file("0.json", "metadata.annotations['opal.dev/manifest']"),
				file("missing", "metadata.annotations['missing']"),
				file("app", "metadata.labels['app']"),
				file("annotations", "metadata.annotations"),
			}},
		}}}},
	}
	volumes := podVolumes{dir: t.TempDir(), objects: someObjects{}}
	dirs, refresh, err := volumes.write(context.Background(), pod)
	if err != nil || !refresh.IsZero() {
		t.Fatalf("%v, renewed at %s", err, refresh)
	}
	expect := func(name, want string) {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(dirs["v"], name))
		if err != nil || string(content) != want {
			t.Errorf("%s is %q, %v; want %q", name, content, err, want)
		}
	}
	expect("0.json", work)
	expect("missing", "")
	expect("app", "opal")
	expect("annotations", "b=\"2\"\nopal.dev/manifest="+strconv.Quote(work))

	pod.Labels["app"] = "other"
	if err := volumes.rewriteLabels(context.Background(), pod); err != nil {
		t.Fatal(err)
	}
	expect("app", "other")
	expect("0.json", work)
}
