package node

import corev1 "k8s.io/api/core/v1"

// update changes the state and has it reported.
func (p *pod) update(change func(*podState)) {
	p.mu.Lock()
	change(&p.state)
	p.mu.Unlock()
	p.reporter.report()
}

// fail overrules what the containers say, unless they have all ended already.
func (p *pod) fail(why verdict) {
	p.update(func(state *podState) {
		if !allOf(state.main, isTerminated) {
			state.failed = &why
		}
	})
}

func (p *pod) setContainer(name string, change func(*corev1.ContainerStatus)) {
	p.update(func(state *podState) {
		if status := find(state, name); status != nil {
			change(status)
		}
	})
}

// setWaiting reports why a container has not started, and returns whether that
// is news: saying the same again costs no write.
func (p *pod) setWaiting(name, reason, message string) bool {
	p.mu.Lock()
	status := find(&p.state, name)
	isNew := status != nil && (status.State.Waiting == nil || status.State.Waiting.Message != message)
	if isNew {
		status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
	p.mu.Unlock()
	if isNew {
		p.reporter.report()
	}
	return isNew
}

func (p *pod) hasSucceeded(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return hasSucceeded(*find(&p.state, name))
}

func find(state *podState, name string) *corev1.ContainerStatus {
	for _, containers := range [][]corev1.ContainerStatus{state.init, state.main} {
		for i := range containers {
			if containers[i].Name == name {
				return &containers[i]
			}
		}
	}
	return nil
}
