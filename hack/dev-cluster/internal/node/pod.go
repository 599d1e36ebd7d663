package node

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// pod runs one pod of the API server from the moment it is seen until its
// object is gone. Everything about it happens in goroutines that end with run.
type pod struct {
	node            *Node
	namespace, name string
	uid             types.UID
	dir             string
	stopper         *stopper
	reporter        *reporter
	volumeDirs      map[string]string
	// deleted is closed when the object's deletion was asked for, quiet when no
	// process of the pod is left, gone when the object is gone from the API server.
	deleted, quiet, gone chan struct{}
	// relabelled holds a token when labels or annotations have changed.
	relabelled chan struct{}
	background sync.WaitGroup

	mu    sync.Mutex
	state podState
}

func (n *Node) newPod(ctx context.Context, object *corev1.Pod) *pod {
	p := &pod{
		node: n, namespace: object.Namespace, name: object.Name, uid: object.UID,
		dir:        filepath.Join(n.podsDir, string(object.UID)),
		stopper:    newStopper(ctx),
		deleted:    make(chan struct{}),
		quiet:      make(chan struct{}),
		gone:       make(chan struct{}),
		relabelled: make(chan struct{}, 1),
		state:      podState{pod: object, startedAt: metav1.Now()},
	}
	for i := range object.Spec.InitContainers {
		p.state.init = append(p.state.init, waiting(&object.Spec.InitContainers[i], "PodInitializing"))
	}
	reason := "ContainerCreating"
	if len(p.state.init) > 0 {
		reason = "PodInitializing"
	}
	for i := range object.Spec.Containers {
		p.state.main = append(p.state.main, waiting(&object.Spec.Containers[i], reason))
	}
	p.reporter = newReporter(p)
	return p
}

// run is the pod's life. ctx ends it at once and without a report, as a power cut does.
func (p *pod) run(ctx context.Context) {
	go p.reporter.run(ctx)
	p.live(ctx)
	p.stopper.release()
	p.background.Wait()
	close(p.quiet)
	p.reporter.finish()
	select {
	case <-p.deleted:
		p.node.deleteObject(ctx, p)
	case <-p.gone:
	case <-ctx.Done():
		return
	}
	select {
	case <-p.gone:
		_ = os.RemoveAll(p.dir)
	case <-ctx.Done():
	}
}

// live returns when the pod's phase is final and none of its processes is left.
func (p *pod) live(ctx context.Context) {
	object := p.latest()
	switch {
	case isOver(object.Status.Phase):
		p.adopt(object)
		return
	case object.Status.StartTime != nil:
		p.lose(object)
		return
	}
	if err := refusal(object); err != nil {
		p.node.warn(object, "Unsupported", err.Error())
		p.fail(verdict{Reason: "Unsupported", Message: err.Error()})
		p.endUnstarted(err.Error())
		return
	}
	for _, ignored := range unenforced(object) {
		p.node.warn(object, "Ignored", ignored+" has no effect on the dev cluster's node")
	}
	defer p.armDeadline(object)()
	if p.prepare() {
		p.runContainers(object)
	}
	if p.stopper.asked.Err() != nil {
		p.endUnstarted("the pod was stopped before the container started")
	}
}

// runContainers runs the init containers one after the other, then the others at once.
func (p *pod) runContainers(object *corev1.Pod) {
	policy := object.Spec.RestartPolicy
	initPolicy := policy
	if initPolicy == corev1.RestartPolicyAlways {
		initPolicy = corev1.RestartPolicyOnFailure
	}
	for i := range object.Spec.InitContainers {
		container := &object.Spec.InitContainers[i]
		p.runContainer(container, initPolicy)
		if !p.hasSucceeded(container.Name) {
			return
		}
	}
	var all sync.WaitGroup
	for i := range object.Spec.Containers {
		all.Go(func() { p.runContainer(&object.Spec.Containers[i], policy) })
	}
	all.Wait()
}

// armDeadline stops the pod when its activeDeadlineSeconds are over. The result disarms it.
func (p *pod) armDeadline(object *corev1.Pod) func() {
	seconds := object.Spec.ActiveDeadlineSeconds
	if seconds == nil {
		return func() {}
	}
	timer := time.AfterFunc(time.Duration(*seconds)*time.Second, func() {
		p.fail(verdict{Reason: "DeadlineExceeded", Message: "Pod was active on the node longer than the specified deadline"})
		p.stopper.stop(graceOf(object))
	})
	return func() { timer.Stop() }
}

// adopt takes over a pod that is finished: there is nothing to run or report, only its deletion to see to.
func (p *pod) adopt(object *corev1.Pod) {
	p.reporter.mute()
	p.update(func(state *podState) { state.main = object.Status.ContainerStatuses })
}

// lose reports the end of a pod whose processes went with an earlier life of the node.
func (p *pod) lose(object *corev1.Pod) {
	now := metav1.Now()
	message := fmt.Sprintf("node %s was started again and its processes are gone", p.node.name)
	p.update(func(state *podState) {
		state.startedAt = *object.Status.StartTime
		status := object.Status.DeepCopy()
		state.init, state.main = status.InitContainerStatuses, status.ContainerStatuses
		state.failed = &verdict{Reason: "NodeLost", Message: message}
		endUnfinished(state.main, message, now)
	})
}

// endUnstarted gives containers that never ran, and never will, the state that a kubelet gives them.
func (p *pod) endUnstarted(message string) {
	p.update(func(state *podState) { endUnfinished(state.main, message, metav1.Now()) })
}

func endUnfinished(containers []corev1.ContainerStatus, message string, now metav1.Time) {
	for i := range containers {
		if status := &containers[i]; status.State.Terminated == nil {
			end := unknownEnd(message, now)
			if status.State.Running != nil {
				end.StartedAt = status.State.Running.StartedAt
			}
			status.State = corev1.ContainerState{Terminated: end}
			status.Ready, status.Started = false, new(bool)
		}
	}
}

// observe takes in the object as the API server now has it.
func (p *pod) observe(object *corev1.Pod) {
	p.mu.Lock()
	before := p.state.pod
	p.state.pod = object
	p.mu.Unlock()
	if !maps.Equal(before.Labels, object.Labels) || !maps.Equal(before.Annotations, object.Annotations) {
		select {
		case p.relabelled <- struct{}{}:
		default:
		}
	}
	if object.DeletionTimestamp == nil {
		return
	}
	select {
	case <-p.deleted:
	default:
		close(p.deleted)
	}
	p.stopper.stop(graceOf(object))
}

// vanish is told that the object is gone from the API server, by a forced deletion or by the node's own.
func (p *pod) vanish() {
	close(p.gone)
	p.stopper.stop(0)
}

func (p *pod) latest() *corev1.Pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.pod
}

func isOver(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

// graceOf is how long the pod's processes have after SIGTERM.
func graceOf(object *corev1.Pod) time.Duration {
	seconds := object.DeletionGracePeriodSeconds
	if seconds == nil {
		seconds = object.Spec.TerminationGracePeriodSeconds
	}
	if seconds == nil {
		return 30 * time.Second
	}
	return time.Duration(*seconds) * time.Second
}
