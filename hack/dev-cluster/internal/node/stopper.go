package node

import (
	"context"
	"sync"
	"time"
)

// stopper tells a pod's containers when to end: first politely, then by force.
type stopper struct {
	// asked is done from the moment the pod shall stop; forced once its grace is over.
	asked, forced context.Context

	ask, force context.CancelFunc
	mu         sync.Mutex
	deadline   time.Time
	timer      *time.Timer
}

func newStopper(parent context.Context) *stopper {
	s := &stopper{}
	s.forced, s.force = context.WithCancel(parent)
	s.asked, s.ask = context.WithCancel(s.forced)
	return s
}

// stop asks for the end within the grace. A later call may shorten the time that is left, never lengthen it.
func (s *stopper) stop(grace time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	deadline := time.Now().Add(grace)
	if s.timer != nil && !deadline.Before(s.deadline) {
		return
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.deadline = deadline
	s.ask()
	if grace <= 0 {
		s.force()
	}
	s.timer = time.AfterFunc(grace, s.force)
}

// release frees the stopper once nothing is left to stop.
func (s *stopper) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.force()
}

// backoff waits between tries of something that may come true by itself.
type backoff struct{ next, most time.Duration }

// wait sleeps one step, each longer than the one before. It returns false when ctx ended first.
func (b *backoff) wait(ctx context.Context) bool {
	timer := time.NewTimer(b.next)
	defer timer.Stop()
	b.next = min(b.next*3/2, b.most)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
