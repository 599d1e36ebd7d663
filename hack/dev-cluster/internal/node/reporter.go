package node

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// reporter writes a pod's status to the API server: the newest one, one write
// at a time, until it is accepted. Changes that come quickly share a write.
type reporter struct {
	pod         *pod
	dirty       chan struct{}
	last, muted chan struct{}
	muteOnce    sync.Once
	done        chan struct{}
	sent        []byte
}

func newReporter(p *pod) *reporter {
	return &reporter{
		pod: p, dirty: make(chan struct{}, 1),
		last: make(chan struct{}), muted: make(chan struct{}), done: make(chan struct{}),
	}
}

// report has the present state written soon.
func (r *reporter) report() {
	select {
	case r.dirty <- struct{}{}:
	default:
	}
}

// mute ends the reporting of this pod for good.
func (r *reporter) mute() { r.muteOnce.Do(func() { close(r.muted) }) }

// finish returns when the final state has been accepted, or can no longer be.
func (r *reporter) finish() {
	close(r.last)
	<-r.done
}

func (r *reporter) run(parent context.Context) {
	defer close(r.done)
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	go func() {
		select {
		case <-r.pod.gone:
		case <-r.muted:
		case <-ctx.Done():
		}
		cancel()
	}()
	for {
		select {
		case <-r.dirty:
			r.send(ctx)
		case <-r.last:
			r.send(ctx)
			return
		case <-ctx.Done():
			return
		}
	}
}

func (r *reporter) send(ctx context.Context) {
	retry := &backoff{next: 50 * time.Millisecond, most: 2 * time.Second}
	for ctx.Err() == nil {
		patch := r.pod.statusPatch()
		if bytes.Equal(patch, r.sent) {
			return
		}
		_, err := r.pod.node.client.CoreV1().Pods(r.pod.namespace).Patch(
			ctx, r.pod.name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
		switch {
		case err == nil:
			r.sent = patch
			return
		case apierrors.IsNotFound(err), apierrors.IsConflict(err):
			return
		case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
			klog.ErrorS(err, "The API server refuses a pod's status", "pod", klog.KRef(r.pod.namespace, r.pod.name))
			return
		case !retry.wait(ctx):
			return
		}
	}
}

// statusPatch is the present status. The uid makes it miss a namesake of the pod.
func (p *pod) statusPatch() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := p.state.status(metav1.Now())
	p.state.conditions = slices.Clone(status.Conditions)
	patch, err := json.Marshal(struct {
		Metadata map[string]types.UID `json:"metadata"`
		Status   corev1.PodStatus     `json:"status"`
	}{map[string]types.UID{"uid": p.uid}, status})
	if err != nil {
		panic(err)
	}
	return patch
}
