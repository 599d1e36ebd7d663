package node

import (
	"context"
	"testing"
	"time"
)

func isDone(ctx context.Context) bool { return ctx.Err() != nil }

func TestStopperAsksFirstAndForcesLater(t *testing.T) {
	s := newStopper(context.Background())
	s.stop(time.Hour)
	if !isDone(s.asked) || isDone(s.forced) {
		t.Fatal("a stop with grace must ask and not force")
	}
	s.stop(0)
	if !isDone(s.forced) {
		t.Error("a second stop without grace must force")
	}
}

func TestStopperNeverLengthensTheGrace(t *testing.T) {
	s := newStopper(context.Background())
	s.stop(time.Millisecond)
	s.stop(time.Hour)
	select {
	case <-s.forced.Done():
	case <-time.After(10 * time.Second):
		t.Error("the first grace was forgotten")
	}
}
