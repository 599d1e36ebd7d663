package node

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func ended(code int32) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}}
}

var (
	runs  = corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	waits = corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}}
	again = corev1.ContainerStatus{State: waits.State, LastTerminationState: ended(1).State}
)

func TestPhase(t *testing.T) {
	deadline := &verdict{Reason: "DeadlineExceeded"}
	list := func(all ...corev1.ContainerStatus) []corev1.ContainerStatus { return all }
	for _, c := range []struct {
		name  string
		state podState
		want  corev1.PodPhase
	}{
		{"nothing started", podState{main: list(waits)}, corev1.PodPending},
		{"init is running", podState{init: list(runs), main: list(waits)}, corev1.PodPending},
		{"init failed", podState{init: list(ended(1)), main: list(waits)}, corev1.PodFailed},
		{"one runs", podState{main: list(runs, waits)}, corev1.PodRunning},
		{"one has ended, one runs", podState{main: list(ended(1), runs)}, corev1.PodRunning},
		{"waits for its restart", podState{main: list(again)}, corev1.PodRunning},
		{"all ended well", podState{main: list(ended(0), ended(0))}, corev1.PodSucceeded},
		{"one ended badly", podState{main: list(ended(0), ended(3))}, corev1.PodFailed},
		{"out of time, still running", podState{main: list(runs), failed: deadline}, corev1.PodRunning},
		{"out of time, ended well", podState{main: list(ended(0)), failed: deadline}, corev1.PodFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.state.phase(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestConditionsKeepTheTimeOfTheirLastChange(t *testing.T) {
	first, second := metav1.NewTime(time.Unix(100, 0)), metav1.NewTime(time.Unix(200, 0))
	state := podState{pod: &corev1.Pod{}, prepared: true, main: []corev1.ContainerStatus{waits}}
	state.conditions = state.status(first).Conditions
	state.main = []corev1.ContainerStatus{runs}
	for _, condition := range state.status(second).Conditions {
		want := second
		if condition.Type == corev1.PodInitialized || condition.Type == corev1.PodReadyToStartContainers {
			want = first
		}
		if condition.LastTransitionTime != want || condition.Status != corev1.ConditionTrue {
			t.Errorf("%s is %s since %s", condition.Type, condition.Status, condition.LastTransitionTime)
		}
	}
}
