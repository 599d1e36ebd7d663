package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// What AKS does when Azure takes a spot machine back: the scheduled event Preempt becomes a condition and an event
// of the node, the node is cordoned, tainted and drained, and when the notice is over the machine and the node's
// object are gone. Azure gives about 30 seconds.
const (
	reclaimTaint     = "remediator.kubernetes.azure.com/unschedulable"
	reclaimCondition = corev1.NodeConditionType("VMEventScheduled")
	reclaimReason    = "PreemptScheduled"
	goneRetry        = 500 * time.Millisecond
)

// reclaimNode returns when the pods have been told; without a notice, when the node is gone.
func (s *Supervisor) reclaimNode(ctx context.Context, name string, notice time.Duration) error {
	if notice < 0 {
		return fmt.Errorf("the notice is %s, less than none", notice)
	}
	at := time.Now().Add(notice)
	if err := s.fleet.reclaim(name, at); err != nil {
		return err
	}
	if notice == 0 {
		return s.removeNode(ctx, name)
	}
	// The machine goes whether or not anybody could be told.
	go func() {
		time.Sleep(time.Until(at))
		for s.fleet.isReclaimed(name) && s.removeNode(context.Background(), name) != nil {
			time.Sleep(goneRetry)
		}
	}()
	if err := s.announceReclaim(ctx, name, at); err != nil {
		return fmt.Errorf("tell that node %s is reclaimed: %w", name, err)
	}
	return s.drain(ctx, name)
}

func (s *Supervisor) announceReclaim(ctx context.Context, name string, at time.Time) error {
	nodes := s.admin.CoreV1().Nodes()
	found, err := nodes.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	now := metav1.Now()
	message := fmt.Sprintf("Preempt scheduled: the spot machine is taken back at %s", at.UTC().Format(time.RFC3339))
	condition, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": []corev1.NodeCondition{{
		Type: reclaimCondition, Status: corev1.ConditionTrue, Reason: reclaimReason, Message: message,
		LastHeartbeatTime: now, LastTransitionTime: now,
	}}}})
	if err != nil {
		return err
	}
	if _, err := nodes.PatchStatus(ctx, name, condition); err != nil {
		return err
	}
	cordoned := found.DeepCopy()
	cordoned.Spec.Unschedulable = true
	cordoned.Spec.Taints = append(cordoned.Spec.Taints, corev1.Taint{Key: reclaimTaint, Effect: corev1.TaintEffectNoSchedule})
	patch, err := patchBetween(found, cordoned)
	if err != nil {
		return err
	}
	if _, err := nodes.Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return err
	}
	_, err = s.admin.CoreV1().Events(metav1.NamespaceDefault).Create(ctx, reclaimEvent(found, message, now), metav1.CreateOptions{})
	return err
}

func patchBetween(before, after *corev1.Node) ([]byte, error) {
	old, err := json.Marshal(before)
	if err != nil {
		return nil, err
	}
	changed, err := json.Marshal(after)
	if err != nil {
		return nil, err
	}
	return strategicpatch.CreateTwoWayMergePatch(old, changed, corev1.Node{})
}

func reclaimEvent(object *corev1.Node, message string, now metav1.Time) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: object.Name + ".", Namespace: metav1.NamespaceDefault},
		InvolvedObject: corev1.ObjectReference{Kind: "Node", APIVersion: "v1", Name: object.Name, UID: object.UID},
		Type:           corev1.EventTypeWarning, Reason: reclaimReason, Message: message,
		Source:         corev1.EventSource{Component: "custom-scheduledevents-plugin-monitor", Host: object.Name},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}
}

// drain evicts the node's pods; each has its own grace, and the end of the notice ends it whatever it is.
func (s *Supervisor) drain(ctx context.Context, name string) error {
	pods, err := s.admin.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("spec.nodeName", name).String(),
	})
	if err != nil {
		return fmt.Errorf("list the pods of node %s: %w", name, err)
	}
	for _, pod := range pods.Items {
		if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}}
		// A pod that a disruption budget protects, or that has ended by itself, is left alone, as AKS leaves it.
		if err := s.admin.PolicyV1().Evictions(pod.Namespace).Evict(ctx, eviction); err != nil {
			s.say("pod %s/%s is not evicted: %v", pod.Namespace, pod.Name, err)
		}
	}
	return nil
}
