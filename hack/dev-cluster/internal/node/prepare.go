package node

import (
	"path/filepath"
	"time"
)

// prepare makes the volumes, again and again while an object that one needs is
// missing, and keeps their tokens fresh. It returns false when the pod was stopped first.
func (p *pod) prepare() bool {
	volumes := &podVolumes{dir: filepath.Join(p.dir, "volumes"), objects: p.node.objects, allocatable: p.node.capacity}
	retry := newRetry()
	for {
		dirs, refresh, err := volumes.write(p.stopper.asked, p.latest())
		if err == nil {
			p.volumeDirs = dirs
			p.update(func(state *podState) { state.prepared = true })
			if !refresh.IsZero() {
				p.background.Go(func() { p.refreshVolumes(volumes, refresh) })
			}
			return true
		}
		if p.stopper.asked.Err() != nil {
			return false
		}
		isNew := false
		for _, container := range p.latest().Spec.Containers {
			isNew = p.setWaiting(container.Name, "ContainerCreating", err.Error()) || isNew
		}
		if isNew {
			p.node.warn(p.latest(), "FailedMount", err.Error())
		}
		if !retry.wait(p.stopper.asked) {
			return false
		}
	}
}

// refreshVolumes renews tokens before they expire, until the pod's processes are gone.
func (p *pod) refreshVolumes(volumes *podVolumes, due time.Time) {
	for {
		timer := time.NewTimer(time.Until(due))
		select {
		case <-timer.C:
		case <-p.stopper.forced.Done():
			timer.Stop()
			return
		}
		_, next, err := volumes.write(p.stopper.forced, p.latest())
		if err != nil {
			next = time.Now().Add(10 * time.Second)
			p.node.warn(p.latest(), "FailedMount", "renewing tokens: "+err.Error())
		}
		due = next
	}
}
