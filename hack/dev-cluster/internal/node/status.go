package node

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const loopback = "127.0.0.1"

// verdict is a pod-level reason that overrules what its containers say.
type verdict struct{ Reason, Message string }

// podState is all that a pod's status is computed from.
type podState struct {
	pod        *corev1.Pod
	startedAt  metav1.Time
	init, main []corev1.ContainerStatus
	// conditions are those of the last computed status.
	conditions []corev1.PodCondition
	failed     *verdict
	// prepared: the volumes are there, so containers may start.
	prepared bool
}

// status computes the pod's status as a kubelet would report it at the time now.
// The conditions of others (the scheduler's, the Job controller's) are left out:
// the patch that carries this leaves them alone.
func (s podState) status(now metav1.Time) corev1.PodStatus {
	phase := s.phase()
	status := corev1.PodStatus{
		Phase:                 phase,
		ObservedGeneration:    s.pod.Generation,
		StartTime:             &s.startedAt,
		HostIP:                loopback,
		HostIPs:               []corev1.HostIP{{IP: loopback}},
		PodIP:                 loopback,
		PodIPs:                []corev1.PodIP{{IP: loopback}},
		InitContainerStatuses: s.init,
		ContainerStatuses:     s.main,
	}
	if s.failed != nil {
		status.Reason, status.Message = s.failed.Reason, s.failed.Message
	}
	ready := allOf(s.main, isRunning)
	over := phase == corev1.PodSucceeded || phase == corev1.PodFailed
	for _, condition := range []corev1.PodCondition{
		{Type: corev1.PodReadyToStartContainers, Status: statusOf(s.prepared && !over)},
		{Type: corev1.PodInitialized, Status: statusOf(allOf(s.init, hasSucceeded) && s.prepared)},
		{Type: corev1.ContainersReady, Status: statusOf(ready)},
		{Type: corev1.PodReady, Status: statusOf(ready)},
	} {
		condition.ObservedGeneration = s.pod.Generation
		condition.Reason = unreadyReason(condition, phase)
		condition.LastTransitionTime = transition(s.conditions, condition, now)
		status.Conditions = append(status.Conditions, condition)
	}
	return status
}

// phase needs no restart policy: a container that will be started again is
// waiting, not terminated. It is not final before the last container has ended.
func (s podState) phase() corev1.PodPhase {
	switch {
	case slices.ContainsFunc(s.init, hasFailed):
		return corev1.PodFailed
	case s.failed == nil && allOf(s.main, hasSucceeded):
		return corev1.PodSucceeded
	case allOf(s.main, isTerminated):
		return corev1.PodFailed
	case slices.ContainsFunc(s.main, hasStarted):
		return corev1.PodRunning
	default:
		return corev1.PodPending
	}
}

func unreadyReason(condition corev1.PodCondition, phase corev1.PodPhase) string {
	isReadiness := condition.Type == corev1.PodReady || condition.Type == corev1.ContainersReady
	switch {
	case condition.Status == corev1.ConditionTrue:
		return ""
	case phase == corev1.PodSucceeded:
		return "PodCompleted"
	case phase == corev1.PodFailed:
		return "PodFailed"
	case isReadiness:
		return "ContainersNotReady"
	case condition.Type == corev1.PodInitialized:
		return "ContainersNotInitialized"
	default:
		return ""
	}
}

func transition(before []corev1.PodCondition, condition corev1.PodCondition, now metav1.Time) metav1.Time {
	for _, old := range before {
		if old.Type == condition.Type && old.Status == condition.Status {
			return old.LastTransitionTime
		}
	}
	return now
}

func isRunning(c corev1.ContainerStatus) bool    { return c.State.Running != nil }
func isTerminated(c corev1.ContainerStatus) bool { return c.State.Terminated != nil }
func hasSucceeded(c corev1.ContainerStatus) bool {
	return isTerminated(c) && c.State.Terminated.ExitCode == 0
}
func hasFailed(c corev1.ContainerStatus) bool {
	return isTerminated(c) && c.State.Terminated.ExitCode != 0
}
func hasStarted(c corev1.ContainerStatus) bool {
	return isRunning(c) || isTerminated(c) || c.LastTerminationState.Terminated != nil
}

func allOf(containers []corev1.ContainerStatus, holds func(corev1.ContainerStatus) bool) bool {
	return !slices.ContainsFunc(containers, func(c corev1.ContainerStatus) bool { return !holds(c) })
}

func statusOf(holds bool) corev1.ConditionStatus {
	if holds {
		return corev1.ConditionTrue
	}
	return corev1.ConditionFalse
}

// waiting is the first status of a container.
func waiting(container *corev1.Container, reason string) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name:    container.Name,
		Image:   container.Image,
		Started: new(bool),
		State:   corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
	}
}

// unknownEnd is the state of a container whose end the node did not see, or that never started.
func unknownEnd(message string, now metav1.Time) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: "ContainerStatusUnknown", Message: message, FinishedAt: now,
	}
}
