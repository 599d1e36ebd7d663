package node

import (
	"path/filepath"
	"time"
)

// mountPatience is how long an object that a volume needs may be missing
// before an event tells: a ConfigMap often comes a moment after its pod.
const mountPatience = time.Second

// prepare makes the volumes, again and again while an object that one needs is
// missing, and keeps them fresh. It returns false when the pod was stopped first.
func (p *pod) prepare() bool {
	volumes := &podVolumes{dir: filepath.Join(p.dir, "volumes"), objects: p.node.objects, allocatable: p.node.capacity}
	retry := newRetry()
	begun, warned := time.Now(), ""
	for {
		dirs, refresh, err := volumes.write(p.stopper.asked, p.latest())
		if err == nil {
			p.volumeDirs = dirs
			p.update(func(state *podState) { state.prepared = true })
			p.background.Go(func() { p.keepVolumes(volumes, refresh) })
			return true
		}
		if p.stopper.asked.Err() != nil {
			return false
		}
		for _, container := range p.latest().Spec.Containers {
			p.setWaiting(container.Name, "ContainerCreating", err.Error())
		}
		if time.Since(begun) >= mountPatience && warned != err.Error() {
			warned = err.Error()
			p.node.warn(p.latest(), "FailedMount", warned)
		}
		if !retry.wait(p.stopper.asked) {
			return false
		}
	}
}

// keepVolumes renews tokens before they expire, and files that tell labels or
// annotations when those change, until the pod's processes are gone.
func (p *pod) keepVolumes(volumes *podVolumes, due time.Time) {
	for {
		select {
		case <-at(due):
			_, next, err := volumes.write(p.stopper.forced, p.latest())
			if err != nil {
				next = time.Now().Add(10 * time.Second)
				p.node.warn(p.latest(), "FailedMount", "renewing tokens: "+err.Error())
			}
			due = next
		case <-p.relabelled:
			if err := volumes.rewriteLabels(p.stopper.forced, p.latest()); err != nil {
				p.node.warn(p.latest(), "FailedMount", "renewing labels and annotations: "+err.Error())
			}
		case <-p.stopper.forced.Done():
			return
		}
	}
}

// at never fires for the zero time.
func at(due time.Time) <-chan time.Time {
	if due.IsZero() {
		return nil
	}
	return time.After(time.Until(due))
}
